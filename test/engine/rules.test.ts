import { createSecretKey } from 'node:crypto'
import { type Test, test } from 'tap'
import type { Catalogue, CatalogueColumn } from '../../src/catalogue/schema.ts'
import { type SensitiveClass, sensitiveLists } from '../../src/catalogue/sensitive.ts'
import { macColumn } from '../../src/core/mac.ts'
import { type Policy, policySchema, releasedColumns } from '../../src/core/policy.ts'
import { pseudonymsOf } from '../../src/core/pseudonym.ts'
import { releasePersons } from '../../src/engine/release-persons.ts'
import { type ReleasedRows, releaseRows } from '../../src/engine/release-rows.ts'
import { quoteText } from '../../src/engine/session.ts'
import {
  cutsOf,
  quantileCuts,
  writeReleasePersons,
} from '../../src/engine/write-release-persons.ts'
import { openScratch, refusalOf, tableOf } from './scratch.ts'

const key = (fill: number) => createSecretKey(Buffer.alloc(32, fill))
const macs = (fill: number) => (column: Uint8Array) =>
  macColumn('cmac-aes-256', key(fill), column, 16)
const rekey = (fill: number) => (column: Uint8Array) =>
  macColumn('cmac-aes-256', key(fill), column, 32)

type Columns = Record<string, Omit<CatalogueColumn, 'title'>>
type Scratch = Awaited<ReturnType<typeof openScratch>>

const sqlTypes = {
  code: 'varchar',
  text: 'varchar',
  'year-month': 'varchar',
  integer: 'bigint',
  decimal: 'double',
  date: 'date',
  timestamp: 'timestamp',
}

/** A catalogue of one table `t`, a part of it with the given rows (ordinal first), and ten persons. */
async function prepared(t: Test, columns: Columns, rows: string[], shift?: number) {
  const scratch = await openScratch(t)
  const catalogue: Catalogue = { name: 'test', version: '1', tables: { t: tableOf(columns) } }
  await scratch.session.run(`
    copy (select r::integer as ordinal, md5(r::varchar)::uuid as person from range(10) v(r))
    to ${quoteText(scratch.path('linked.parquet'))} (format parquet)`)
  await writePart(scratch, 'part', columns, rows)
  const dated = Object.entries(columns).find(([, { role }]) => role === 'diagnosis-date')?.[0]
  await releasePersons(scratch.session, {
    persons: scratch.path('linked.parquet'),
    diagnoses: dated ? [{ file: scratch.path('part.parquet'), column: dated }] : [],
    pseudonymsOf: (persons) => pseudonymsOf(key(1), persons),
    ...(shift === undefined ? {} : { shiftOf: macs(shift) }),
    output: scratch.path('persons.parquet'),
  })
  return { ...scratch, catalogue }
}

async function writePart(
  { session, path }: Scratch,
  name: string,
  columns: Columns,
  rows: string[],
): Promise<void> {
  const names = Object.keys(columns)
  const typed = Object.entries(columns).map(
    ([column, { type }]) => `"${column}"::${sqlTypes[type]} as "${column}"`,
  )
  await session.run(`
    copy (select ordinal::integer as ordinal, ${typed.join(', ')}
      from (values ${rows.join(', ')}) v(ordinal, ${names.map((each) => `"${each}"`).join(', ')}))
    to ${quoteText(path(`${name}.parquet`))} (format parquet)`)
}

function policyOf(columns: object, more: object = {}): Policy {
  return policySchema.parse({
    name: 'p',
    version: '1',
    type: 'A',
    dates: 'relative',
    tables: { t: { columns } },
    ...more,
  })
}

type Options = { sensitive?: readonly SensitiveClass[]; rekeyFill?: number; part?: string }

async function released(
  scratch: Scratch & { catalogue: Catalogue },
  policy: Policy,
  { sensitive = [], rekeyFill = 9, part = 'part' }: Options = {},
): Promise<{ counts: ReleasedRows; rows: Record<string, unknown>[] }> {
  const { session, path, catalogue } = scratch
  const table = catalogue.tables['t']
  if (!table) throw new Error('no table')
  const of = {
    part: path(`${part}.parquet`),
    persons: path('persons.parquet'),
    tableName: 't',
    table,
    columns: releasedColumns(policy, catalogue, 't'),
    rules: { dates: policy.dates, cuts: await cutsOf(session, path('persons.parquet'), 't') },
    sensitive,
    rekeyOf: rekey(rekeyFill),
    parquet: path('out.parquet'),
  }
  const { counts, utility } = await releaseRows(session, of)
  const rows = await session.rows(
    `select * from read_parquet(${quoteText(path('out.parquet'))}) order by all`,
  )
  for (const [name, { cells, changed, emptied }] of Object.entries(utility.columns)) {
    const left = rows.filter((row) => row[name] !== null).length
    if (cells - emptied !== left || changed < emptied) throw new Error(`utility of ${name}`)
  }
  return { counts, rows }
}

const plain = (rows: Record<string, unknown>[], column: string) => rows.map((row) => row[column])

test('maps codes, and lets out what is not listed only when told', async (t) => {
  const scratch = await prepared(t, { C: { type: 'code' }, D: { type: 'code' } }, [
    `(0, 'a''b', 'a''b')`,
    `(1, 'c', 'c')`,
    '(2, null, null)',
  ])
  const codes = { "a'b": "x'y" }
  const policy = policyOf({ C: { rule: 'map', codes }, D: { rule: 'map', codes, others: 'keep' } })
  const { rows } = await released(scratch, policy)
  t.same(plain(rows, 'C').sort(), [null, null, "x'y"].sort())
  t.same(plain(rows, 'D').sort(), ['c', null, "x'y"].sort())
})

test('rounds and clips, and a missing value stays missing', async (t) => {
  const columns: Columns = {
    A: { type: 'integer' },
    B: { type: 'decimal' },
    C: { type: 'integer' },
  }
  const scratch = await prepared(t, columns, [
    '(0, 15, 0.26, 5)',
    '(0, 14, 0.24, 50)',
    '(0, -15, null, 500)',
    '(0, null, 1, null)',
  ])
  const policy = policyOf({
    A: { rule: 'round', to: 10 },
    B: { rule: 'round', to: 0.5 },
    C: { rule: 'clip', bottom: 10, top: 100 },
  })
  const { rows } = await released(scratch, policy)
  t.same(
    new Set(rows.map(({ A, B, C }) => `${A} ${B} ${C}`)),
    new Set(['20 0.5 10', '10 0 50', '-20 null 100', 'null 1 null']),
  )
})

test('generalises by a hierarchy and a region; what is not listed becomes missing', async (t) => {
  const columns: Columns = { A: { type: 'integer' }, R: { type: 'code', role: 'region' } }
  const scratch = await prepared(t, columns, [`(0, 1, '11110')`, `(1, 2, '26')`, `(2, 3, null)`])
  const csv = '1;"0;4";*\r\n2;5-9;*\n'
  for (const [level, expected] of [
    [0, ['1', '2', null]],
    [1, ['0;4', '5-9', null]],
    [2, ['*', '*', null]],
  ] as const) {
    const policy = policyOf(
      { A: { rule: 'hierarchy', of: 'ages', level }, R: { rule: 'region' } },
      { hierarchies: { ages: { csv } } },
    )
    const { rows } = await released(scratch, policy)
    t.same(plain(rows, 'A').sort(), [...expected].sort())
    t.same(plain(rows, 'R').sort(), ['11', '26', null].sort())
  }
})

test('groups by quantiles of the whole table, not of one part', async (t) => {
  const columns: Columns = { A: { type: 'integer' } }
  const scratch = await prepared(t, columns, ['(0, 1)', '(1, 2)', '(2, null)'])
  const { session, path } = scratch
  await writePart(scratch, 'other', columns, ['(3, 30)', '(4, 40)', '(5, 50)', '(6, 60)'])
  const files = ['part', 'other'].map((name) => path(`${name}.parquet`))
  const cuts = await quantileCuts(session, { files, column: 'A', groups: 3 })
  t.same(cuts, [2, 40])
  const list = { persons: path('persons.parquet'), isMeasured: false, isSuppressed: false }
  await writeReleasePersons(session, {
    ...list,
    cuts: { t: { A: cuts } },
    output: path('with-cuts.parquet'),
  })
  t.same(await cutsOf(session, path('with-cuts.parquet'), 't'), { A: cuts })
  const policy = policyOf({ A: { rule: 'quantile', groups: 3 } })
  const other = { ...scratch, path: (name: string) => path(name.replace(/^persons/, 'with-cuts')) }
  t.same(plain((await released(other, policy)).rows, 'A').sort(), [1, 1, null])
  const { rows } = await released(other, policy, { part: 'other' })
  t.same(plain(rows, 'A').sort(), [2, 2, 3, 3])
})

test('gives numbers of this release: joinable inside it, new in the next', async (t) => {
  const columns: Columns = {
    MID: { type: 'code', role: 'claim-number' },
    HOSP: { type: 'code', role: 'institution-number' },
    LONG: { type: 'code' },
  }
  const long = '1234567890123456'
  const scratch = await prepared(t, columns, [
    `(0, '12345', '12345', '${long}7')`,
    `(1, '12345', '12346', '${long}8')`,
    '(2, null, null, null)',
  ])
  const rules = { MID: { rule: 'rekey' }, HOSP: { rule: 'rekey' }, LONG: { rule: 'rekey' } }
  const { rows } = await released(scratch, policyOf(rules))
  const known = plain(rows, 'MID').filter((number) => number !== null)
  t.equal(known.length, 2)
  t.equal(new Set(known).size, 1, 'the same number of one kind is the same')
  t.match(known[0], /^[0-9a-f]{32}$/)
  t.notOk(plain(rows, 'HOSP').includes(known[0]), 'another kind gives another number')
  t.equal(new Set(plain(rows, 'LONG')).size, 3, 'longer numbers stay apart')
  const next = await released(scratch, policyOf(rules), { rekeyFill: 10 })
  t.notOk(plain(next.rows, 'MID').includes(known[0]), 'another release gives another number')
  const sameKind = { ...rules, HOSP: { rule: 'rekey', kind: 'claim-number' } }
  const joined = await released(scratch, policyOf(sameKind))
  t.ok(plain(joined.rows, 'HOSP').includes(known[0]))
})

test('shifts all dates of a person by one number of weeks, in every table', async (t) => {
  const columns: Columns = {
    FDX: { type: 'date', role: 'diagnosis-date' },
    VACC: { type: 'date', role: 'vaccination-date' },
  }
  const dates = Array.from({ length: 10 }, (_, person) => [
    `(${person}, '2020-0${1 + (person % 9)}-15', '2021-03-0${1 + (person % 9)}')`,
    `(${person}, '2021-12-31', '2021-02-26')`,
  ]).flat()
  const scratch = await prepared(t, columns, dates, 7)
  const rules = { FDX: { rule: 'date' }, VACC: { rule: 'date' } }
  const anchor = { table: 't', column: 'VACC', action: 'shift' }
  const shift = (anchors: object[]) => policyOf(rules, { dates: 'shift', anchors })
  await released(scratch, shift([anchor]))
  const { session, path } = scratch
  const moved = await session.rows<{ weeks: number; rows: number; days: number }>(`
    select count(distinct out.FDX - part.FDX) as moves, count(distinct out.VACC - part.VACC) as others,
      min(out.FDX - part.FDX) as days, min(out.VACC - part.VACC) as same
    from read_parquet(${quoteText(path('part.parquet'))}) part
    join read_parquet(${quoteText(path('persons.parquet'))}) using (ordinal)
    join read_parquet(${quoteText(path('out.parquet'))}) out using (pseudonym)
    where out.VACC - out.FDX = part.VACC - part.FDX
    group by pseudonym`)
  t.equal(moved.length, 10)
  for (const { moves, others, days, same } of moved as Record<string, number>[]) {
    t.same([moves, others, same], [1, 1, days], 'one shift a person, intervals kept')
    t.equal((days ?? NaN) % 7, 0)
    t.ok(Math.abs(days ?? NaN) <= 26 * 7)
  }
  t.ok(new Set(moved.map(({ days }) => days)).size > 3, 'persons differ')

  const window = { ...anchor, from: '2021-02-26', to: '2021-12-31' }
  const { rows } = await released(scratch, shift([window]))
  const kept = plain(rows, 'VACC').filter((day) => day !== null)
  t.ok(kept.length > 0 && kept.length < rows.length)
  for (const day of kept) {
    const text = (day as Date).toISOString().slice(0, 10)
    t.ok(text >= '2021-02-26' && text <= '2021-12-31', 'nothing shows which way it was shifted')
  }
  const removed = await released(scratch, shift([{ ...anchor, action: 'remove' }]))
  t.same(Object.keys(removed.rows[0] ?? {}), ['pseudonym', 'FDX'])
})

test('leaves out rows of sensitive classes, wherever the code stands', async (t) => {
  const columns: Columns = {
    MAIN: { type: 'code', role: 'diagnosis' },
    SECOND: { type: 'code', role: 'secondary-diagnosis' },
    SPECIAL: { type: 'code', role: 'special-benefit' },
    DRUG: { type: 'code', role: 'drug' },
    DONE: { type: 'code', role: 'procedure' },
    N: { type: 'integer' },
  }
  const scratch = await prepared(t, columns, [
    `(0, 'C50.1', 'I10', 'V193', '101301ATB', 'AA157', 1)`,
    `(0, 'C50.1', 'F32.9', 'V193', '101301ATB', 'AA157', 2)`,
    `(0, 'B20', null, null, null, null, 3)`,
    `(0, 'C50.1', null, 'V103', null, null, 4)`,
    `(0, 'C50.1', null, null, '258301ACH', null, 5)`,
    `(0, 'C50.1', null, null, null, 'NN011', 6)`,
    `(0, 'O04.9', null, null, null, null, 7)`,
    `(0, 'T74.1', 'A53.9', null, null, null, 8)`,
    '(0, null, null, null, null, null, 9)',
    `(0, 'f32.9', null, null, null, null, 10)`,
  ])
  const lists = sensitiveLists().classes
  // Only N leaves: what tells is looked at whether it leaves or not.
  const policy = policyOf({ N: { rule: 'keep' } })
  const all = await released(scratch, policy, { sensitive: Object.values(lists) })
  t.same(plain(all.rows, 'N'), [1, 9])
  t.match(all.counts, { rows: 2, sensitive: 8, outsideScope: 0, otherPersons: 0 })
  const allowed = Object.entries(lists).filter(([name]) => name !== 'mental-illness')
  const some = await released(scratch, policy, { sensitive: allowed.map(([, list]) => list) })
  t.same(plain(some.rows, 'N'), [1, 2, 6, 9, 10])
})

test('takes a sensitive cause from a death, and leaves the death', async (t) => {
  const columns: Columns = {
    CAUSE: { type: 'code', role: 'cause-of-death' },
    PLACE: { type: 'code' },
  }
  const scratch = await prepared(t, columns, [`(0, 'X70', '1')`, `(1, 'C50.1', '2')`])
  const rules = { CAUSE: { rule: 'truncate', length: 3 }, PLACE: { rule: 'keep' } }
  const sensitive = Object.values(sensitiveLists().classes)
  const { rows, counts } = await released(scratch, policyOf(rules), { sensitive })
  t.equal(counts.rows, 2)
  t.same(rows.map(({ CAUSE, PLACE }) => `${PLACE} ${CAUSE}`).sort(), ['1 null', '2 C50'])
})

test('holds new texts against the shapes of identifiers', async (t) => {
  const scratch = await prepared(t, { C: { type: 'code' } }, [`(0, 'a')`])
  const policy = policyOf({ C: { rule: 'map', codes: { a: '800101-1234567' } } })
  t.equal((await refusalOf(released(scratch, policy))).code, 'identifier-in-payload')
})

test('includes and samples persons, the same ones each time', async (t) => {
  const columns: Columns = { C: { type: 'code' } }
  const scratch = await prepared(t, columns, [`(0, 'C50.1')`, `(1, 'C61')`, `(2, 'c50')`])
  const { session, path } = scratch
  await session.run(`
    copy (select r::integer as ordinal, md5(r::varchar)::uuid as person from range(20000) v(r))
    to ${quoteText(path('many.parquet'))} (format parquet)`)
  const of = {
    persons: path('many.parquet'),
    diagnoses: [],
    pseudonymsOf: (persons: Uint8Array) => pseudonymsOf(key(1), persons),
    output: path('chosen.parquet'),
  }
  const file = { file: path('part.parquet'), column: 'C' }
  const included = await releasePersons(session, {
    ...of,
    include: { columns: [file], startsWith: ['C50'] },
  })
  t.equal(included.persons, 2)
  const draw = async (seed: string) => {
    const { persons } = await releasePersons(session, { ...of, sample: { rate: 0.1, seed } })
    const [row] = await session.rows<{ sum: number }>(
      `select sum(ordinal)::bigint as sum from read_parquet(${quoteText(path('chosen.parquet'))})`,
    )
    return `${persons} ${row?.sum}`
  }
  const first = await draw('a')
  t.equal(await draw('a'), first)
  t.not(await draw('b'), first)
  t.ok(Math.abs(Number(first.split(' ')[0]) - 2000) < 250)
})
