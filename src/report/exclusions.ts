/** What GUILD and RECORD ask of a linkage beside its numbers: how keys were made, and what was left out. */
import type { QualityReport } from '../core/quality-report.ts'
import { type Html, tableOf } from './html.ts'
import type { Speech } from './speech.ts'

/** Key by key: of which fields it is made, and who sent it. */
export function keysTable({ recipe, flow }: QualityReport, speech: Speech): Html {
  const heads = (['key', 'fields', 'sentBy'] as const).map((word) => speech.say(word))
  const rows = Object.entries(recipe.keyTypes).map(([key, fields]) => {
    const senders = flow.filter(({ withKey }) => key in withKey)
    return [
      key,
      fields.map(speech.field).join(', '),
      senders.map(({ agency }) => speech.agency(agency)).join(', '),
    ]
  })
  return tableOf(speech.say('keys'), heads, rows)
}

/** Notices and rows of tables. */
export function exclusionTables({ notices, tables }: QualityReport, speech: Speech): Html[] {
  const ofNotices = tableOf(
    speech.say('excluded'),
    ['', speech.say('count')],
    [
      [speech.say('noticesUsed'), speech.few(notices.used)],
      [speech.say('noticesSetAside'), speech.few(notices.setAside)],
    ],
  )
  if (tables.length === 0) return [ofNotices]
  const heads = (['table', 'rows', 'rowsKept', 'rowsOutside', 'rowsUnknown'] as const).map((word) =>
    speech.say(word),
  )
  const rows = tables.map(({ table, ...counts }) => [
    speech.table(table),
    ...[counts.rows, counts.kept, counts.outside, counts.unknown].map(speech.count),
  ])
  return [ofNotices, tableOf(speech.say('rows'), heads, rows)]
}
