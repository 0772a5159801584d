/** A place that notifications are sent to, in one form: a slash at the end of the path makes no difference to `web`. */
const placeOf = (uri: string): string =>
  URL.canParse(uri) ? new URL(uri).href.replace(/\/(?=[?#]|$)/, '') : uri

/** Whether two addresses lead to one place. */
export const isSamePlace = (one: string, other: string): boolean => placeOf(one) === placeOf(other)
