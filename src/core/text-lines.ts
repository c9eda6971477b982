/** A text file that a person made, cut into lines. */

/**
 * The lines of a text: they end in LF or CRLF, the last one or not. A byte order mark goes: spreadsheets write one, and the
 * files that people get from us begin with it.
 */
export function linesOf(text: string): string[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}
