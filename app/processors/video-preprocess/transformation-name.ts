// unlike decodeURIComponent, it does not throw on a percent sign that encodes nothing
import { unescape as decode } from 'node:querystring'

/**
 * Finds the requested transformation of a result. Results contain the transformation URL-decoded, with the
 * parameters of a component sorted or in the requested order (both observed).
 *
 * @param name in a result, or as requested
 * @param requested transformations as in a URL, where a comma within text is `%252C`
 */
export function findRequested(name: string, requested: readonly string[]): string | undefined {
  const find = (form: string) => requested.find((one) => normalForm(decode(one)) === form)
  return find(normalForm(name)) ?? find(normalForm(decode(name)))
}

/**
 * Sorts the parameters of each component. Splits before decoding, so encoded commas and slashes do not
 * separate.
 */
function normalForm(transformation: string): string {
  const components = transformation.split('/').filter(Boolean)
  return JSON.stringify(components.map((component) => component.split(',').map(decodeFully).sort()))
}

function decodeFully(text: string): string {
  const decoded = decode(text)
  return decoded === text ? text : decodeFully(decoded)
}
