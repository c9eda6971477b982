/** A cell of CSV that is inert in a spreadsheet. */
export function cellOf(text: string): string {
  const cell = inert(text)
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

/** A text that no spreadsheet runs: an apostrophe stands before what it would. */
export function inert(text: string): string {
  return formulaBeginnings.includes(text.slice(0, 1)) ? `'${text}` : text
}

/** What a spreadsheet takes for the beginning of a formula; those of Korea and Japan take the wide forms as well. */
export const formulaBeginnings: readonly string[] = [...'=+-@＝＋－＠\t\r\n']
