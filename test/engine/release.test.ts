import { createSecretKey } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { type Test, test } from 'tap'
import type { Catalogue } from '../../src/catalogue/schema.ts'
import { numberOf } from '../../src/core/base32.ts'
import { daysSince } from '../../src/core/dates.ts'
import { type Policy, policySchema, type Rule, releasedColumns } from '../../src/core/policy.ts'
import { personsOf, pseudonymsOf } from '../../src/core/pseudonym.ts'
import { releasePersons } from '../../src/engine/release-persons.ts'
import { type ReleasedRows, releaseRows } from '../../src/engine/release-rows.ts'
import { quoteText, type Session } from '../../src/engine/session.ts'
import { openScratch, refusalOf, tableOf } from './scratch.ts'

const domainKey = createSecretKey(Buffer.alloc(32, 5))

type Scratch = Awaited<ReturnType<typeof openScratch>>

const registration = tableOf({
  SITE: { type: 'code' },
  AGE: { type: 'integer', min: 0, max: 120 },
  FDX: { type: 'date', role: 'diagnosis-date' },
  YM: { type: 'year-month' },
  NOTE: { type: 'text' },
  SEX: { type: 'code', codes: ['1', '2'] },
})
const catalogue: Catalogue = { name: 'test', version: '1', tables: { registration } }

function policyOf(columns: Record<string, Rule>, where?: object): Policy {
  return policySchema.parse({
    name: 'test',
    version: '1',
    type: 'A',
    dates: 'relative',
    tables: { registration: { columns, ...(where ? { where } : {}) } },
  })
}

/** Three persons; the list of a linkage and one cohort part of the given rows. */
async function prepared(t: Test, rows: string): Promise<Scratch> {
  const scratch = await openScratch(t)
  const { session, path } = scratch
  await session.run(`
    copy (
      select r::integer as ordinal, lpad(r::varchar, 32, '1')::uuid as person from range(3) t(r)
    ) to ${quoteText(path('persons.parquet'))} (format parquet)`)
  await session.run(`
    copy (
      select ordinal::integer as ordinal, SITE::varchar as SITE, AGE::integer as AGE, FDX::date as FDX,
        YM::varchar as YM, NOTE::varchar as NOTE, SEX::varchar as SEX
      from (values ${rows}) v(ordinal, SITE, AGE, FDX, YM, NOTE, SEX)
    ) to ${quoteText(path('part.parquet'))} (format parquet)`)
  await releasePersons(session, {
    persons: path('persons.parquet'),
    diagnoses: [{ file: path('part.parquet'), column: 'FDX' }],
    pseudonymsOf: (persons) => pseudonymsOf(domainKey, persons),
    output: path('release-persons.parquet'),
  })
  return scratch
}

async function release(
  { session, path }: Scratch,
  policy: Policy,
  csv?: string,
): Promise<ReleasedRows> {
  const { counts } = await releaseRows(session, {
    part: path('part.parquet'),
    persons: path('release-persons.parquet'),
    tableName: 'registration',
    table: registration,
    columns: releasedColumns(policy, catalogue, 'registration'),
    where: policy.tables['registration']?.where,
    parquet: path('out.parquet'),
    ...(csv === undefined ? {} : { csv }),
  })
  return counts
}

async function rowsOf(session: Session, file: string): Promise<Record<string, unknown>[]> {
  return await session.rows(`select * from read_parquet(${quoteText(file)})`)
}

const nothingLeftOut = { outsideScope: 0, sensitive: 0, otherPersons: 0 }

const rows = `
  (2, 'C50.1', 44, '2020-03-10', '1976-01', 'a', '1'),
  (0, 'C61', 85, '2019-01-31', '1933-12', '=cmd', '2'),
  (2, 'C50.9', 45, '2020-01-10', '1976-01', null, '1'),
  (1, 'C22.0', null, null, null, '-1', null),
  (0, 'C18', 84, '2018-12-31', '1933-12', 'b', '2')`

test('gives each person one pseudonym that only the key leads back from', async (t) => {
  const { session, path } = await prepared(t, rows)
  const persons = await session.rows<{ pseudonym: string; ordinal: number }>(`
    select ordinal, pseudonym, rank, anchor::varchar as anchor, anchor_month
    from read_parquet(${quoteText(path('release-persons.parquet'))})`)
  const names = persons.map(({ pseudonym }) => pseudonym)
  t.same(names, names.toSorted(), 'in order of the pseudonym')
  t.match(
    persons.toSorted((a, b) => a.ordinal - b.ordinal),
    [
      { ordinal: 0, anchor: '2018-12-31', anchor_month: '2018-12' },
      { ordinal: 1, anchor: null, anchor_month: null },
      { ordinal: 2, anchor: '2020-01-10', anchor_month: '2020-01' },
    ],
    'the anchor is the first diagnosis',
  )
  for (const { ordinal, pseudonym } of persons) {
    const number = numberOf(pseudonym)
    const person = Buffer.from(personsOf(domainKey, number ?? new Uint8Array())).toString('hex')
    t.equal(person, `${ordinal}`.padStart(32, '1'))
  }
})

test('applies every rule and lets nothing else out', async (t) => {
  const scratch = await prepared(t, rows)
  const policy = policyOf({
    SEX: { rule: 'keep' },
    SITE: { rule: 'truncate', length: 3 },
    AGE: { rule: 'band', width: 5, top: 85 },
    FDX: { rule: 'date' },
    NOTE: { rule: 'drop' },
  })
  t.same(await release(scratch, policy), { rows: 5, ...nothingLeftOut, escapedCells: 0 })
  const released = await rowsOf(scratch.session, scratch.path('out.parquet'))
  t.same(Object.keys(released[0] ?? {}), ['pseudonym', 'SITE', 'AGE', 'FDX', 'SEX'])
  const bySite = Object.fromEntries(
    released.map(({ pseudonym: _, ...row }) => [`${row['SITE']} ${row['FDX']}`, row]),
  )
  t.same(bySite, {
    'C50 60': { SITE: 'C50', AGE: '40-44', FDX: daysSince('2020-01-10', '2020-03-10'), SEX: '1' },
    'C50 0': { SITE: 'C50', AGE: '45-49', FDX: 0, SEX: '1' },
    'C61 31': { SITE: 'C61', AGE: '85+', FDX: daysSince('2018-12-31', '2019-01-31'), SEX: '2' },
    'C18 0': { SITE: 'C18', AGE: '80-84', FDX: 0, SEX: '2' },
    'C22 null': { SITE: 'C22', AGE: null, FDX: null, SEX: null },
  })
  const names = released.map(({ pseudonym }) => String(pseudonym))
  t.same(names, names.toSorted(), 'sorted by pseudonym')
})

test('gives the same file whatever the order of the part', async (t) => {
  const lines = rows.trim().split(/,\n/)
  const policy = policyOf({ SITE: { rule: 'keep' }, YM: { rule: 'truncate', length: 4 } })
  const files: Buffer[] = []
  for (const order of [lines, lines.toReversed()]) {
    const scratch = await prepared(t, order.join(','))
    await release(scratch, policy)
    files.push(await readFile(scratch.path('out.parquet')))
  }
  t.same(files[0], files[1])
})

test('keeps to the years asked for, by date, year-month and number', async (t) => {
  const scratch = await prepared(t, rows)
  const columns: Record<string, Rule> = { SITE: { rule: 'keep' } }
  const years = (column: string, fromYear: number, toYear: number): Policy =>
    policyOf(columns, { column, fromYear, toYear })
  t.match(await release(scratch, years('FDX', 2019, 2020)), { rows: 3, outsideScope: 2 })
  t.match(await release(scratch, years('YM', 1976, 1976)), { rows: 2, outsideScope: 3 })
  t.match(await release(scratch, years('AGE', 1976, 1976)), { rows: 0, outsideScope: 5 })
})

test('escapes what a spreadsheet would run, in CSV only, and counts it', async (t) => {
  const texts = ['=cmd', '+1', '-1', '@x', '\tx', '\rx', 'a,b', 'say "x"', 'two\nlines', '한글']
  const values = texts.map((text, row) => `(0, 'C${row}', ${row}, null, null, '${text}', null)`)
  const scratch = await prepared(t, [...values, `(0, 'C99', -5, null, null, null, null)`].join(','))
  const policy = policyOf({
    AGE: { rule: 'keep' },
    NOTE: { rule: 'keep' },
  })
  const released = await release(scratch, policy, scratch.path('out.csv'))
  t.same(released, { rows: 11, ...nothingLeftOut, escapedCells: 6 })
  const text = await readFile(scratch.path('out.csv'), 'utf8')
  t.match(text, /^pseudonym,AGE,NOTE\n/)
  for (const start of [
    `,0,'=cmd\n`,
    `,1,'+1\n`,
    `,2,'-1\n`,
    `,3,'@x\n`,
    `,6,"a,b"\n`,
    `,-5,\n`,
    ',9,한글\n',
  ]) {
    t.ok(text.includes(start), JSON.stringify(start))
  }
  t.ok(text.includes(`'\tx`) && text.includes(`"'\rx"`) && text.includes('"say ""x"""'))
  const notes = await rowsOf(scratch.session, scratch.path('out.parquet'))
  t.ok(
    notes.some((row) => row['NOTE'] === '=cmd'),
    'Parquet carries the text itself',
  )
})

test('refuses an identifier that the policy itself writes in the place of a code', async (t) => {
  const scratch = await prepared(t, `(1, 'C1', 1, null, null, null, '1')`)
  const policy = policyOf({ SEX: { rule: 'map', codes: { 1: '800101-1234567' }, others: 'keep' } })
  const refusal = await refusalOf(release(scratch, policy))
  t.equal(refusal.code, 'identifier-in-payload')
  t.same(refusal.details, { table: 'registration', column: 'SEX', rows: 1 })
})

test('refuses a release with an identifier in a text, naming table, column and rows', async (t) => {
  const policy = policyOf({ SITE: { rule: 'keep' }, NOTE: { rule: 'keep' }, AGE: { rule: 'keep' } })
  const hits = [
    '환자 800101-1234567',
    'call 010-1234-5678',
    '01012345678',
    '02-345-6789',
    'a.b@c.kr',
    '여권 M12345678',
    'M123A4567',
    '면허 11-22-123456-78',
    `CI ${'Ab1/'.repeat(21)}x+==`,
    `key ${'0a'.repeat(32)}`,
    'F0'.repeat(32),
  ]
  for (const hit of hits) {
    const scratch = await prepared(t, `${rows}, (1, 'C1', 1, null, null, '${hit}', null)`)
    const refusal = await refusalOf(release(scratch, policy))
    t.equal(refusal.code, 'identifier-in-payload', hit)
    t.same(refusal.details, { table: 'registration', column: 'NOTE', rows: 1 })
    t.notOk((await readdir(scratch.dir)).includes('out.parquet'), 'no file')
  }
  const free = ['1234567890123456', '20240101', '2024-01-01', 'x@y', '9999999999999']
  for (const text of free) {
    const scratch = await prepared(t, `(1, 'C1', 1, null, null, '${text}', null)`)
    t.equal((await release(scratch, policy)).rows, 1, text)
  }
})
