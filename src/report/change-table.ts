import type { Change } from '../core/quality-report.ts'
import { type Html, tableOf } from './html.ts'
import type { Speech } from './speech.ts'

/** Hidden for being small; of persons founded and kept one may be hidden for the other's sake. */
const counted = [
  'merged',
  'split',
  'attached',
  'detached',
  'moved',
  'expired',
  'waiting',
  'held',
  'torn',
] as const

/** What changed against the linkage before: counts, and the link rates then and now. */
export function changeTables(change: Change, speech: Speech): Html[] {
  const { cases, rates } = change
  const counts = tableOf(
    speech.say('change'),
    ['', speech.say('count')],
    [
      [speech.say('founded'), speech.count(change.founded)],
      [speech.say('kept'), speech.count(change.kept)],
      ...counted.map((name) => [speech.say(name), speech.few(change[name])]),
      [speech.say('casesPossible'), speech.few(cases.possible)],
      [speech.say('casesConflict'), speech.few(cases.conflict)],
      [speech.say('casesMerge'), speech.few(cases.merge)],
      [speech.say('casesDoubted'), speech.few(cases.doubted)],
    ],
  )
  if (change.previous === null) return [counts]
  const shareOf = (rate: Change['rates'][number]['now']): string =>
    rate === null ? '*' : `${speech.share(rate.share)} (${speech.interval(rate)})`
  const heads = (['agency', 'rateBefore', 'rateNow', 'drift'] as const).map((word) =>
    speech.say(word),
  )
  const lines = rates.map(({ agency, before, now, drift }) => [
    speech.agency(agency),
    shareOf(before),
    shareOf(now),
    drift === null ? '–' : `${drift < 0 ? '' : '+'}${(drift * 100).toFixed(2)} %`,
  ])
  return [counts, tableOf(speech.say('drift'), heads, lines)]
}
