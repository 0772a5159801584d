// unlike decodeURIComponent it keeps a percent sign that encodes nothing
import { unescape as decode } from 'node:querystring'

/**
 * Finds the requested transformation that Cloudinary calls by this name. Results name a transformation URL-decoded, and
 * the parameters of a component either sorted or as they were requested [seen, both].
 *
 * @param name of a result, or a transformation as it was requested
 * @param requested transformations as in an address, where a comma within a text is `%252C`
 */
export function findRequested(name: string, requested: readonly string[]): string | undefined {
  const find = (form: string) => requested.find((one) => normalForm(decode(one)) === form)
  return find(normalForm(name)) ?? find(normalForm(decode(name)))
}

/** Chained components keep their order, parameters within one are sorted; what is encoded still separates nothing. */
function normalForm(transformation: string): string {
  const components = transformation.split('/').filter(Boolean)
  return JSON.stringify(components.map((component) => component.split(',').map(decodeFully).sort()))
}

function decodeFully(text: string): string {
  const decoded = decode(text)
  return decoded === text ? text : decodeFully(decoded)
}
