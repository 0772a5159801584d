/** Formats a table; text is left-aligned, numbers are right-aligned. */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[]
): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => String(row[column]).length))
  )
  const line = (cells: readonly (string | number)[]) =>
    cells
      .map((cell, column) =>
        typeof rows[0]?.[column] === 'number'
          ? String(cell).padStart(widths[column] ?? 0)
          : String(cell).padEnd(widths[column] ?? 0)
      )
      .join(' | ')
      .trimEnd()
  return [line(headings), widths.map((width) => '-'.repeat(width)).join('-|-'), ...rows.map(line)].join('\n')
}
