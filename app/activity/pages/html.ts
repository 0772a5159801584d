import { html as escaping } from 'ghtml'

/** A value in a template. `undefined`, `null` and `false` render nothing. */
export type Content = Html | string | number | undefined | null | false | readonly Content[]

/**
 * Control characters, zero-width characters and characters that change the text direction: they can make a
 * text look like another one. Joiners are allowed: emoji and some scripts need them.
 */
const DECEPTIVE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds them
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** Safe markup: only `html` makes it, so every value in it is escaped. */
export class Html {
  readonly #text: string

  private constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }

  static of(literals: TemplateStringsArray, values: readonly Content[]): Html {
    const texts = values.map((value, index) => markup(value, literals[index]?.endsWith('="') === true))
    return new Html(String.raw({ raw: literals }, ...texts))
  }
}

/**
 * Escapes every value except markup that `html` made. Attribute values must be quoted. Shows deceptive
 * characters as `\\u202e`, except in a value that fills a whole attribute, because forms send such values
 * back.
 */
export const html = (literals: TemplateStringsArray, ...values: Content[]): Html => Html.of(literals, values)

/** Joins contents with a separator. */
export const joined = (contents: readonly Content[], between: Content): Html =>
  html`${contents.flatMap((content, index) => (index === 0 ? [content] : [between, content]))}`

function markup(value: Content, isAttribute: boolean): string {
  if (value instanceof Html) return value.toString()
  if (Array.isArray(value)) return value.map((each) => markup(each, isAttribute)).join('')
  if (value === undefined || value === null || value === false) return ''
  return escaping`${isAttribute ? String(value) : visible(String(value))}`
}

const visible = (text: string): string =>
  text.replace(DECEPTIVE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
