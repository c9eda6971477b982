import { cp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { prepare } from '../../src/agency/prepare.ts'
import type { Piece } from '../../src/agency/readable.ts'
import { batchesOf, type Source } from '../../src/agency/sources.ts'
import type { CatalogueColumn } from '../../src/catalogue/schema.ts'
import { takeTable } from '../../src/engine/take-table.ts'
import { openScratch, tableOf } from '../engine/scratch.ts'
import { options, personsCsv, rowsOf, wanted } from './support.ts'

const columns = {
  claim_key: { type: 'code', required: true },
  N: { type: 'integer', min: 0, max: 9999 },
  BIG: { type: 'integer' },
  D: { type: 'decimal' },
  DAY: { type: 'date', format: 'YYYYMMDD' },
  YM: { type: 'year-month' },
  AT: { type: 'timestamp' },
  GONE: { type: 'integer' },
} satisfies Record<string, Omit<CatalogueColumn, 'title'>>
const recipe = { ...wanted, tables: { statement: { columns } } }
const header = 'JID,MID,N,BIG,D,DAY,YM,AT'
const rows = ['A1,007,0012,-5,1.50,20240229,202402,2024-02-29T10:11:12', 'A2,C2,,,,,,']

async function prepared(t: Parameters<typeof options>[0], files: Record<string, string>) {
  const change = { statement: { files: Object.keys(files) }, recipe }
  const given = await options(t, { 'persons.csv': personsCsv, ...files }, change)
  const report = await prepare(given)
  const dir = join(given.outDir, 'tables', 'statement')
  return { report, dir, given }
}

async function taken(t: Parameters<typeof options>[0], part: string) {
  const { session, path } = await openScratch(t)
  const input = path('in.parquet')
  await cp(part, input)
  const mediaType = 'application/vnd.apache.parquet'
  const output = path('out.parquet')
  const counts = await takeTable(session, { input, mediaType, table: tableOf(columns, 1), output })
  return { counts, output }
}

test('writes every column in its type, and intake keeps the very bytes', async (t) => {
  const { report, dir } = await prepared(t, { 't.csv': [header, ...rows, ''].join('\n') })
  t.same(report.tables['statement']?.asText, [])
  const part = join(dir, 'part-00001.parquet')
  const [one, other] = (await rowsOf(part)).toSorted((row) => (row['N'] === 12 ? -1 : 1))
  t.match(one, { claim_key: '007', N: 12, BIG: -5n, D: 1.5, YM: '2024-02', GONE: null })
  t.match(other, { claim_key: 'C2', N: null, BIG: null, D: null, DAY: null, YM: null, AT: null })
  const { counts, output } = await taken(t, part)
  t.same(counts, { rows: 2, taken: 2, refusals: {} })
  t.ok((await readFile(part)).equals(await readFile(output)))
})

test('a column with a value of another type comes as text, so that intake counts the row', async (t) => {
  const bad = {
    N: ['1.6', '12a', '99999999999', ' 5'],
    BIG: ['1_000', '1e3'],
    D: ['1,5', 'nan'],
    DAY: ['20230229', '2024-02-29'],
    AT: ['2024-02-29'],
    YM: ['2024-13'],
  }
  const names = header.split(',')
  for (const [column, values] of Object.entries(bad)) {
    for (const value of values) {
      const cells = (rows[0] ?? '').split(',')
      cells[names.indexOf(column)] = `"${value}"`
      const text = [header, ...rows, cells.join(','), ''].join('\n')
      const { report, dir } = await prepared(t, { 't.csv': text })
      // A month is text in either case.
      t.same(report.tables['statement']?.asText, column === 'YM' ? [] : [column], value)
      const [part = ''] = await readdir(dir)
      const written = await rowsOf(join(dir, part))
      t.equal(written.length, 3)
      t.ok(
        written.some((row) => row[column] === value),
        value,
      )
      const { counts } = await taken(t, join(dir, part))
      t.same([counts.rows, counts.taken], [3, 2], value)
      t.same(Object.keys(counts.refusals), [`${column}: wrong-type`], value)
    }
  }
})

test('names the file and the line also where several files are one part', async (t) => {
  const files = {
    'one.csv': [header, ...rows, ''].join('\n'),
    'two.csv': [header, rows[0], 'A2,900101-1000002,,,,,,', ''].join('\n'),
  }
  await t.rejects(prepared(t, files), {
    code: 'identifier-in-payload',
    details: { file: 'two.csv', line: 3, column: 'MID' },
  })
})

test('pieces of one table go together up to a number of bytes, persons never', async (t) => {
  async function* pieces() {
    const named: [string | undefined, number][] = [
      [undefined, 1],
      [undefined, 1],
      ['a', 4],
      ['a', 5],
      ['a', 2],
      ['b', 1],
      ['b', 20],
      ['b', 1],
    ]
    for (const [table, sourceBytes] of named)
      yield { source: { table } as Source, piece: { sourceBytes } as Piece }
  }
  const found: string[] = []
  for await (const batch of batchesOf(pieces(), 9))
    found.push(`${batch[0].source.table}: ${batch.map(({ piece }) => piece.sourceBytes).join('+')}`)
  t.same(found, ['undefined: 1', 'undefined: 1', 'a: 4+5', 'a: 2', 'b: 1', 'b: 20', 'b: 1'])
})
