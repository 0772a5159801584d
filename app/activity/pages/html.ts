import { html as escaping } from 'ghtml'

/** Markup that is safe to send: only `html` makes it, so every value in it was escaped. */
export class Html {
  readonly #text: string

  private constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }

  static of(literals: TemplateStringsArray, values: readonly Content[]): Html {
    return new Html(String.raw({ raw: literals }, ...values.map(markup)))
  }
}

/** What a template may hold: `undefined`, `null` and `false` leave nothing. */
export type Content = Html | string | number | undefined | null | false | readonly Content[]

/** Escapes every value that is not itself made by `html`. Attribute values must be quoted. */
export const html = (literals: TemplateStringsArray, ...values: Content[]): Html => Html.of(literals, values)

/** Contents with markup between each two. */
export const joined = (contents: readonly Content[], between: Content): Html =>
  html`${contents.flatMap((content, index) => (index === 0 ? [content] : [between, content]))}`

function markup(value: Content): string {
  if (value instanceof Html) return value.toString()
  if (Array.isArray(value)) return value.map(markup).join('')
  return value === undefined || value === null || value === false ? '' : escaping`${String(value)}`
}
