/**
 * A regular expression for the decimal numbers that are more than this one: AWS WAF compares headers as text.
 *
 * @param limit a whole number, from 0
 */
export function moreThan(limit: number): string {
  const digits = String(limit)
  const longer = `[1-9]\\d{${digits.length},}`
  // as long, equal up to one digit, and that one higher
  const higher = [...digits].flatMap((digit, index) =>
    digit === '9'
      ? []
      : [`${digits.slice(0, index)}[${Number(digit) + 1}-9]\\d{${digits.length - index - 1}}`]
  )
  return `^0*(${[longer, ...higher].join('|')})$`
}
