/** HTML of the page, as text; every value is escaped here and nowhere else. */

/** Text that is HTML already. */
export type Html = { readonly html: string }

/** The text as it may stand in an element or a quoted attribute. */
export function escaped(text: string): string {
  const marks: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (mark) => marks[mark] ?? '')
}

/**
 * A table; the first cell of each row is its heading. `caption` is read aloud and shown. Columns of words stand at their
 * left, columns of numbers at their right, and a table of two columns is no wider than it need be.
 */
export function tableOf(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): Html {
  const isWords = heads.map((_, at) => rows.some((row) => /^\p{L}/u.test(row[at] ?? '')))
  const kind = (at: number): string => (at > 0 && isWords[at] ? ' class="words"' : '')
  const head = heads.map((text, at) => `<th scope="col"${kind(at)}>${escaped(text)}</th>`).join('')
  const body = rows.map(([first = '', ...cells]) => {
    const rest = cells.map(
      (text, at) => `<td${kind(at + 1)}>${escaped(text).replaceAll('\n', '<br>')}</td>`,
    )
    return `<tr><th scope="row">${escaped(first)}</th>${rest.join('')}</tr>`
  })
  const inside = `<thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody>`
  const size = heads.length < 3 ? ' class="small"' : ''
  return {
    html: `<div class="wide"><table${size}><caption>${escaped(caption)}</caption>${inside}</table></div>`,
  }
}

/** A section with a heading, a note and what is in it. */
export function sectionOf(heading: string, note: string, inside: readonly Html[]): Html {
  const text = inside.map(({ html }) => html).join('\n')
  return {
    html: `<section><h2>${escaped(heading)}</h2><p>${escaped(note)}</p>\n${text}</section>`,
  }
}
