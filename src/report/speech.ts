/** How numbers, times and levels are written on the page. */
import { cancerGroups } from '../core/cancer-groups.ts'
import type { RateCell } from '../core/quality-counts.ts'
import type { QualityReport } from '../core/quality-report.ts'
import { isWord, type Language, say } from './words.ts'

/** Everything that the page writes by language and report. */
export type Speech = {
  language: Language
  threshold: number
  say: (word: Parameters<typeof say>[1], values?: Record<string, string | number>) => string
  /** 1,234; `*` where it is withheld. */
  count: (count: number | null) => string
  /** The same of a count that is only ever hidden for being small. */
  few: (count: number | null) => string
  /** 12.3 %. */
  share: (share: number) => string
  /** Both ends, at the same precision. */
  interval: (cell: { low: number | null; high: number | null }) => string
  time: (iso: string | null) => string
  agency: (name: string) => string
  table: (name: string) => string
  /** Of a key's message. */
  field: (name: string) => string
  level: (level: string) => string
  /** What of a cell may be said: linked, delivered and the rate. */
  rate: (cell: RateCell | undefined) => string
}

/** The speech of a report in a language. */
export function speechOf(report: QualityReport, language: Language): Speech {
  const { threshold, titles, regions } = report
  const numbers = new Intl.NumberFormat(language === 'ko' ? 'ko-KR' : 'en-GB')
  const times = new Intl.DateTimeFormat('sv-SE', {
    dateStyle: 'short',
    timeStyle: 'medium',
    timeZone: 'Asia/Seoul',
  })
  const count = (value: number | null): string => (value === null ? '*' : numbers.format(value))
  const share = (value: number): string => `${inPercent(value)} %`
  const interval: Speech['interval'] = ({ low, high }) =>
    low === null || high === null ? '' : `${inPercent(low)}–${inPercent(high)}`
  const level = (name: string): string => {
    const site = cancerGroups.find(({ code }) => code === name)
    if (site) return `${site[language]} (${name})`
    if (isWord(name)) return say(language, name)
    return regions[name]?.[language] ?? name.replace(/^00-/, '0-').replace('-', '–')
  }
  const rate: Speech['rate'] = (cell) => {
    if (!cell) return '–'
    const few = `<${threshold}`
    if (cell.mask === 'few') return few
    if (cell.rate !== null) {
      return `${share(cell.rate)} (${interval(cell)})\n${count(cell.linked)} / ${count(cell.delivered)}`
    }
    const { linked, delivered } = cell
    const bound = fewRange(cell, threshold)
    if (delivered === 0) return '0'
    if (bound && cell.mask === 'few-linked')
      return `<${share(bound.high)}\n${few} / ${count(delivered)}`
    if (bound && linked === null) {
      return `>${share(bound.low)}\n>${count((delivered ?? 0) - threshold)} / ${count(delivered)}`
    }
    if (bound) return `>${share(bound.low)}\n${count(linked)} / *`
    return delivered === null ? '*' : `* / ${count(delivered)}`
  }
  return {
    language,
    threshold,
    say: (word, values) => say(language, word, values),
    count,
    few: (value) => (value === null ? `<${threshold}` : count(value)),
    share,
    interval,
    time: (iso) => (iso === null ? '–' : `${times.format(new Date(iso))} KST`),
    agency: (name) => titles[name]?.[language] ?? name,
    table: (name) => titles[`tables.${name}`]?.[language] ?? name,
    field: (name) => (isWord(name) ? say(language, name) : name),
    level,
    rate,
  }
}

/** To one decimal; what that would round to nothing or to all, to its first digit, for of millions it is many. */
export function inPercent(share: number): string {
  const rest = Math.min(share, 1 - share) * 100
  const isLost = rest < 0.05 && rest > 1e-6
  return (share * 100).toFixed(isLost ? Math.ceil(-Math.log10(rest)) : 1)
}

/** Where the rate of a cell lies, by its being small alone; undefined where nothing can be said. */
export function fewRange(
  { mask, delivered, linked }: RateCell,
  threshold: number,
): { low: number; high: number } | undefined {
  // Of fewer than twice the threshold the range would say next to nothing.
  if (delivered !== null && delivered < 2 * threshold) return undefined
  if (mask === 'few-unlinked' && delivered !== null) {
    return { low: (delivered - threshold) / delivered, high: 1 }
  }
  if (mask === 'few-unlinked' && linked !== null) {
    return { low: linked / (linked + threshold), high: 1 }
  }
  if (mask === 'few-linked' && delivered !== null) {
    return { low: 0, high: threshold / delivered }
  }
  return undefined
}
