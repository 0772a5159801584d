import fc from 'fast-check'

const SURROGATES = 0x800

/**
 * Generates any character of Unicode, as fast-check's `unit: 'binary'` does, but without its table of all of them,
 * which takes two seconds to build.
 */
export const anyCharacter = fc.nat(0x10_ffff - SURROGATES).map(
  (index) => String.fromCodePoint(index < 0xd800 ? index : index + SURROGATES),
  // lets `fc.string` add its dangerous strings, such as `__proto__`
  (character) => {
    const codePoint = String(character).codePointAt(0) ?? 0
    return codePoint < 0xd800 ? codePoint : codePoint - SURROGATES
  }
)
