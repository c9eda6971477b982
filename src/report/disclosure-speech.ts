import type { ShownDisclosure } from '../core/shown-disclosure.ts'
import { type DisclosureWord, sayDisclosure } from './disclosure-words.ts'
import type { Language } from './words.ts'

/** How the disclosure page writes words, numbers and names. */
export type DisclosureSpeech = {
  language: Language
  say: (word: DisclosureWord, values?: Record<string, string | number>) => string
  /** 1,234; `*` where it is hidden. */
  count: (count: number | null) => string
  /** 12.3 %. */
  share: (share: number) => string
  /** To so many digits behind the point. */
  number: (value: number, digits: number) => string
  time: (iso: string | null) => string
  /** Title of a table, of a column, of a sensitive class; its name where it has none. */
  table: (table: string) => string
  column: (of: { table: string; column: string }) => string
}

/** The speech of a report in a language. */
export function disclosureSpeechOf(report: ShownDisclosure, language: Language): DisclosureSpeech {
  const locale = language === 'ko' ? 'ko-KR' : 'en-GB'
  const numbers = new Intl.NumberFormat(locale)
  const times = new Intl.DateTimeFormat('sv-SE', {
    dateStyle: 'short',
    timeStyle: 'medium',
    timeZone: 'Asia/Seoul',
  })
  const say: DisclosureSpeech['say'] = (word, values) => sayDisclosure(language, word, values)
  const titleOf = (name: string): string | undefined => report.titles[name]?.[language]
  const table: DisclosureSpeech['table'] = (name) =>
    name === 'persons' ? say('personsTable') : (titleOf(name) ?? name)
  return {
    language,
    say,
    count: (count) => (count === null ? '*' : numbers.format(count)),
    share: (share) => `${(share * 100).toFixed(1)} %`,
    number: (value, digits) => value.toFixed(digits),
    time: (iso) => (iso === null ? '–' : `${times.format(new Date(iso))} KST`),
    table,
    column: (of) => {
      if (of.table === 'persons') return say('diagnosis_month')
      const title = titleOf(`${of.table}.${of.column}`)
      return title === undefined ? of.column : `${title} (${of.column})`
    },
  }
}
