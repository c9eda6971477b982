/** HTML of the page, as text; every value is escaped here and nowhere else. */

/** Text that is HTML already. */
export type Html = { readonly html: string }

/** The text as it may stand in an element or a quoted attribute. */
export function escaped(text: string): string {
  const marks: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (mark) => marks[mark] ?? '')
}

/** A table; the first cell of each row is its heading. `caption` is read aloud and shown. */
export function tableOf(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): Html {
  const head = heads.map((text) => `<th scope="col">${escaped(text)}</th>`).join('')
  const body = rows.map(([first = '', ...cells]) => {
    const rest = cells.map((text) => `<td>${escaped(text).replaceAll('\n', '<br>')}</td>`)
    return `<tr><th scope="row">${escaped(first)}</th>${rest.join('')}</tr>`
  })
  const inside = `<thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody>`
  return {
    html: `<div class="wide"><table><caption>${escaped(caption)}</caption>${inside}</table></div>`,
  }
}

/** A section with a heading, a note and what is in it. */
export function sectionOf(heading: string, note: string, inside: readonly Html[]): Html {
  const text = inside.map(({ html }) => html).join('\n')
  return {
    html: `<section><h2>${escaped(heading)}</h2><p>${escaped(note)}</p>\n${text}</section>`,
  }
}
