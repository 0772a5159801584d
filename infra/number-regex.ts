/**
 * Returns a regular expression that matches decimal numbers above `limit`. AWS WAF can only compare headers
 * as text, and accepts no capturing groups.
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-regex-pattern-support.html
 *
 * @param limit whole number, at least 0
 */
export function regexForNumbersAbove(limit: number): string {
  const digits = String(limit)
  const longer = `[1-9]\\d{${digits.length},}`
  // same length, equal up to one digit, and that digit higher
  const higher = [...digits].flatMap((digit, index) =>
    digit === '9'
      ? []
      : [`${digits.slice(0, index)}[${Number(digit) + 1}-9]\\d{${digits.length - index - 1}}`]
  )
  return `^0*(?:${[longer, ...higher].join('|')})$`
}
