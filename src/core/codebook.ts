import type { Catalogue } from '../catalogue/schema.ts'
import { countColumns, hiddenCode } from './count-table.ts'
import { titlesOfCounts } from './count-titles.ts'
import { cellOf } from './csv-cell.ts'
import { type Policy, releasedColumns } from './policy.ts'

const header = [
  'table',
  'table_ko',
  'column',
  'type',
  'title_en',
  'title_ko',
  'unit',
  'codes',
  'rule',
] as const

/**
 * `codebook.csv`: what `datapackage.json` says of tables and columns, for people and their spreadsheets. UTF-8 with a mark
 * that says so, CRLF (RFC 4180); a cell that a spreadsheet would run begins with an apostrophe.
 */
export function codebookOf(policy: Policy, catalogue: Catalogue): string {
  const leaving = policy.microdata === 'none' ? [] : Object.keys(policy.tables)
  const rows = leaving.flatMap((table) =>
    releasedColumns(policy, catalogue, table).map(({ name, type, column, rule }) => {
      const isAsDelivered = rule.rule === 'keep'
      const codes = (isAsDelivered && column.codes) || []
      const labels: Readonly<Record<string, { en: string; ko: string }>> = column.labels ?? {}
      return [
        table,
        catalogue.tables[table]?.title.ko ?? '',
        name,
        type,
        column.title.en,
        column.title.ko,
        rule.rule === 'date' && type === 'integer'
          ? 'days since the first diagnosis'
          : (isAsDelivered && column.unit) || '',
        codes.map((code) => labelled(code, labels[code])).join('; '),
        textOfRule(rule),
      ]
    }),
  )
  return `\ufeff${[header, ...rows, ...countRowsOf(policy, catalogue)].map((row) => row.map(cellOf).join(',')).join('\r\n')}\r\n`
}

/** Of each table of counts: what stands above, what beside, and what is counted. */
function countRowsOf(policy: Policy, catalogue: Catalogue): string[][] {
  return Object.entries(policy.counts ?? {}).flatMap(([name, asked]) => {
    const titles = titlesOfCounts(policy, catalogue, asked)
    return countColumns(asked).map((column, at) => {
      const side = [asked.rows, asked.columns][at]
      const rule = side && policy.tables[side.table]?.columns[side.column]
      const what = side ? [rule ? textOfRule(rule) : ''] : [`threshold=${asked.threshold}`]
      const codes = side ? '' : `${hiddenCode} = hidden / 숨김`
      const named = [titles[at]?.en ?? '', titles[at]?.ko ?? '']
      return [
        `tables/${name}`,
        '',
        column,
        side ? 'string' : 'integer',
        ...named,
        '',
        codes,
        ...what,
      ]
    })
  })
}

function labelled(code: string, label: { en: string; ko: string } | undefined): string {
  return label === undefined ? code : `${code} = ${label.en} / ${label.ko}`
}

/** A rule and its settings: `truncate length=3`. Lists are in `datapackage.json`. */
export function textOfRule({ rule, ...settings }: { rule: string }): string {
  const plain = Object.entries(settings).flatMap(([name, value]) =>
    typeof value === 'object' ? [] : [`${name}=${String(value)}`],
  )
  return [rule, ...plain].join(' ')
}
