/** Normalizes a URL: `web` accepts a slash at the end of the path, and URLs have several spellings. */
const normalize = (uri: string): string =>
  URL.canParse(uri) ? new URL(uri).href.replace(/\/(?=[?#]|$)/, '') : uri

/** Returns whether two addresses have the same target. */
export const isSameAddress = (one: string, other: string): boolean => normalize(one) === normalize(other)
