import { escaped, type Html } from './html.ts'
import { style } from './style.ts'
import type { Language } from './words.ts'

/** A page of its own: title, facts, a note on what is hidden, and sections. */
export function documentOf(of: {
  language: Language
  title: string
  /** What it is about: follows the title where pages are listed. */
  about: string
  facts: readonly (readonly [name: string, value: string])[]
  note: string
  sections: readonly Html[]
}): string {
  const { language, title, about, facts, note, sections } = of
  const lines = facts.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`)
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`${title} – ${about}`)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<dl>${lines.join('')}</dl>
<p class="note">${escaped(note)}</p>
${sections.map(({ html }) => html).join('\n')}
</main>
</body>
</html>
`
}
