import { createHash } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import iconv from 'iconv-lite'
import { type Test, test } from 'tap'
import { prepare } from '../../src/agency/prepare.ts'
import type { PrepareOptions } from '../../src/agency/prepare-options.ts'
import { sourceDescriptionSchema } from '../../src/agency/source-description.ts'
import { Refusal } from '../../src/core/errors.ts'
import { manifestSchema } from '../../src/core/manifest.ts'
import { koreanRecipe } from '../../src/core/recipe.ts'
import { keyOf } from '../../src/core/recipe-key.ts'

const agenciesKey = Buffer.alloc(32, 7)
const personsCsv = `JID,RRN,NM,BIRTH,SEX
A1,900101-1000002,가 나다,19900101,1
A2,8512312000004,똠방각,1985-12-31,2
A3,,kim test,20000230,9
`
const statementCsv = `JID,MID,FORM,ST
A1,C1,02,20190101
A2,C2,007,20190202
A1,C3,,20190303
`
const personFiles = {
  files: ['persons.csv'],
  id: 'JID',
  fields: { registrationNumber: 'RRN', name: 'NM', birthDate: 'BIRTH', sex: 'SEX' },
  sexCodes: { 1: 'M', 2: 'F' },
}
const statementFiles = { files: ['t20.csv'], person: 'JID', columns: { claim_key: 'MID' } }
const wanted = {
  recipe: koreanRecipe,
  keyTypes: ['K1' as const, 'K2' as const, 'K4' as const],
  tables: {
    statement: {
      columns: { claim_key: { required: true }, FORM: {}, ST: { required: true }, DOSE: {} },
    },
  },
}

type Files = Record<string, string | Buffer>
const usual: Files = { 'persons.csv': personsCsv, 't20.csv': statementCsv }

async function options(
  t: Test,
  files: Files,
  change: { persons?: object; statement?: object | object[] } & Partial<PrepareOptions> = {},
): Promise<PrepareOptions> {
  const { persons, statement, ...others } = change
  const sourceDir = t.testdir({})
  for (const [name, text] of Object.entries(files)) await writeFile(join(sourceDir, name), text)
  const description = sourceDescriptionSchema.parse({
    persons: { ...personFiles, ...persons },
    tables: {
      statement: Array.isArray(statement) ? statement : { ...statementFiles, ...statement },
    },
  })
  const outDir = join(sourceDir, 'delivery')
  return {
    description,
    sourceDir,
    outDir,
    agenciesKey,
    recipe: wanted,
    wave: 1,
    threads: 1,
    ...others,
  }
}

async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const reader = await connection.runAndReadAll(`select * from read_parquet('${path}')`)
  const rows = reader.getRowObjectsJS()
  instance.closeSync()
  return rows
}

/** The delivery with ids in place of serials, as agencies alone can read it. */
async function read(outDir: string) {
  const serials = await rowsOf(join(outDir, 'serials.parquet'))
  const idOf = new Map(serials.map((row) => [row['serial'], String(row['id'])]))
  const named = (rows: Record<string, unknown>[]) =>
    rows
      .map(({ serial, ...rest }) => ({ id: idOf.get(serial) ?? '', ...rest }))
      .sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)))
  return {
    serials: idOf,
    keys: named(await rowsOf(join(outDir, 'keys/*.parquet'))),
    statement: named(await rowsOf(join(outDir, 'tables/statement/*.parquet'))),
  }
}

async function requireRefusal(
  t: Test,
  given: PrepareOptions,
  expected: { code: string; details: Record<string, string | number> },
): Promise<void> {
  const error: unknown = await prepare(given).catch((thrown: unknown) => thrown)
  t.ok(error instanceof Refusal, String(error))
  t.match(error, expected)
  t.notMatch(String(error) + JSON.stringify(error), /900101|가|C2/, 'no value')
  const left = await readdir(given.sourceDir)
  t.notOk(
    left.some((name) => name.startsWith('delivery')),
    'nothing is left',
  )
}

test('splits files into keys and tables that only the serial joins', async (t) => {
  const given = await options(t, usual)
  const report = await prepare(given)
  const { keys, statement, serials } = await read(given.outDir)
  const person = {
    registrationNumber: '9001011000002',
    name: '가나다',
    birthDate: '19900101',
    sex: 'M',
  }
  t.same(keys, [
    { id: 'A1', ...keysOf(person) },
    {
      id: 'A2',
      ...keysOf({
        registrationNumber: '8512312000004',
        name: '똠방각',
        birthDate: '19851231',
        sex: 'F',
      }),
    },
    { id: 'A3', K1: null, K2: null, K4: null },
  ])
  t.same(statement, [
    { id: 'A1', claim_key: 'C1', FORM: '02', ST: '20190101', DOSE: null },
    { id: 'A1', claim_key: 'C3', FORM: null, ST: '20190303', DOSE: null },
    { id: 'A2', claim_key: 'C2', FORM: '007', ST: '20190202', DOSE: null },
  ])
  t.ok([...serials.keys()].every((serial) => /^[0-9A-HJKMNP-TV-Z]{12}$/.test(String(serial))))
  t.same(report.persons, {
    rows: 3,
    persons: 3,
    withoutId: 0,
    differing: 0,
    emptyKeys: { K1: 1, K2: 1, K4: 1 },
  })
  t.same(report.tables, { statement: { rows: 3, unknownPersons: 0, absent: ['t20.csv: DOSE'] } })
  t.equal((await stat(join(given.outDir, 'serials.parquet'))).mode & 0o777, 0o600)
})

test('the manifest names every part with its rows, bytes and digest, and nothing of the map', async (t) => {
  const given = await options(t, usual)
  const { manifest } = await prepare(given)
  t.same(
    manifestSchema.parse(JSON.parse(await readFile(join(given.outDir, 'manifest.json'), 'utf8'))),
    manifest,
  )
  t.same(
    manifest.parts.map(({ table, number, rows }) => [table, number, rows]),
    [
      ['', 1, 3],
      ['statement', 1, 3],
    ],
  )
  for (const part of manifest.parts) {
    const dir = part.table === '' ? 'keys' : `tables/${part.table}`
    const bytes = await readFile(join(given.outDir, dir, 'part-00001.parquet'))
    t.equal(part.bytes, bytes.length)
    t.equal(part.sha256, createHash('sha256').update(bytes).digest('hex'))
    t.notOk(bytes.includes('A1') && bytes.includes('900101'), 'no id in a part')
  }
})

test('CP949, BOM, CRLF, no last line end and blank lines mean the same', async (t) => {
  const plain = await options(t, usual)
  await prepare(plain)
  const expected = await read(plain.outDir)
  const forms: [string, (text: string) => string | Buffer, object][] = [
    ['cp949', (text) => iconv.encode(text, 'cp949'), { encoding: 'cp949' }],
    ['byte order mark', (text) => `\ufeff${text}`, {}],
    ['CRLF', (text) => text.replaceAll('\n', '\r\n'), {}],
    ['no last line end', (text) => text.trimEnd(), {}],
    ['blank lines', (text) => text.replaceAll('\n', '\n\n'), {}],
    ['quoted', (text) => text.replaceAll(/[^,\n]+/g, '"$&"'), {}],
    ['another delimiter', (text) => text.replaceAll(',', ' | '), { delimiter: ' | ' }],
    ['fixed width', (text) => text.replaceAll(',', '  ,'), { trim: true }],
    ['no header line', (text) => text.slice(text.indexOf('\n') + 1), {}],
  ]
  for (const [name, change, layout] of forms) {
    const files = { 'persons.csv': change(personsCsv), 't20.csv': change(statementCsv) }
    const isBare = name === 'no header line'
    const given = await options(t, files, {
      persons: isBare ? { header: ['JID', 'RRN', 'NM', 'BIRTH', 'SEX'] } : layout,
      statement: isBare ? { header: ['JID', 'MID', 'FORM', 'ST'] } : layout,
      outDir: join(t.testdirName, `delivery-${name.replaceAll(' ', '-')}`),
    })
    await prepare(given)
    const { keys, statement } = await read(given.outDir)
    t.same({ keys, statement }, { keys: expected.keys, statement: expected.statement }, name)
  }
})

test('a layout that changed between years is another group of files', async (t) => {
  const newer = 'PERSON,CLAIM,FORM,START,AMOUNT\nA1,C9,021,20200101,5\n'
  const given = await options(
    t,
    { ...usual, 't20_2020.csv': newer },
    {
      statement: [
        statementFiles,
        {
          files: ['t20_2020.csv'],
          person: 'PERSON',
          columns: { claim_key: 'CLAIM', ST: 'START', DOSE: 'AMOUNT', FORM: null },
        },
      ],
    },
  )
  const { manifest } = await prepare(given)
  const { statement } = await read(given.outDir)
  t.equal(statement.length, 4)
  t.same(
    statement.find((row) => 'DOSE' in row && row.DOSE === '5'),
    {
      id: 'A1',
      claim_key: 'C9',
      FORM: null,
      ST: '20200101',
      DOSE: '5',
    },
  )
  t.same(
    manifest.parts.map(({ table, number }) => `${table}${number}`),
    ['1', 'statement1', 'statement2'],
  )
})

test('the persons may stand in a table file, many rows a person, the number being the id', async (t) => {
  const text =
    'RRN,NM,BIRTH,SEX,MID,ST\n9001011000002,가나다,19900101,M,C1,20190101\n9001011000002,가나다,19900101,M,C2,20190102\n8512312000004,나,19851231,F,C3,20190103\n8512312000004,낙,19851231,F,C4,20190104\n,,,,C5,20190105\n'
  const given = await options(
    t,
    { 'all.csv': text },
    {
      persons: { files: ['all.csv'], id: 'RRN', sexCodes: {} },
      statement: { files: ['all.csv'], person: 'RRN' },
      unknownMaxShare: 0.2,
    },
  )
  const report = await prepare(given)
  t.same(report.persons, {
    rows: 5,
    persons: 2,
    withoutId: 1,
    differing: 1,
    emptyKeys: { K1: 0, K2: 0, K4: 0 },
  })
  t.same(report.tables['statement'], {
    rows: 4,
    unknownPersons: 1,
    absent: ['all.csv: FORM', 'all.csv: DOSE'],
  })
})

test('files may have columns called id, serial or row', async (t) => {
  const files = {
    'persons.csv': personsCsv.replace('JID', 'id'),
    't20.csv': statementCsv.replace('JID,MID,FORM', 'ID,serial,row'),
  }
  const given = await options(t, files, {
    persons: { id: 'id' },
    statement: { person: 'ID', columns: { claim_key: 'serial', FORM: 'row' } },
  })
  await prepare(given)
  const { statement } = await read(given.outDir)
  t.same(statement[0], { id: 'A1', claim_key: 'C1', FORM: '02', ST: '20190101', DOSE: null })
})

test('serials stay in later waves, are new for new persons, and differ between deliveries', async (t) => {
  const first = await options(t, usual)
  await prepare(first)
  const other = { ...first, outDir: join(first.sourceDir, 'other') }
  await prepare(other)
  const before = (await read(first.outDir)).serials
  const otherwise = (await read(other.outDir)).serials
  t.notOk(
    [...otherwise.keys()].some((serial) => before.has(serial)),
    'nothing of a person in it',
  )
  await writeFile(join(first.sourceDir, 'persons.csv'), personsCsv.replace('A2,', 'A5,'))
  const serials = join(first.outDir, 'serials.parquet')
  const later = { ...first, wave: 2, serials, outDir: join(first.sourceDir, 'later') }
  await prepare({ ...later, unknownMaxShare: 1 })
  const after = await read(later.outDir)
  for (const [serial, id] of before) t.equal(after.serials.get(serial), id)
  t.equal(after.serials.size, before.size + 1)
  t.same(
    after.keys.map(({ id }) => id),
    ['A1', 'A3', 'A5'],
  )
})

test('reads Parquet', async (t) => {
  const given = await options(t, usual)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  for (const name of ['persons', 't20'])
    await connection.run(
      `copy (select * from read_csv('${given.sourceDir}/${name}.csv', all_varchar = true)) to '${given.sourceDir}/${name}.parquet'`,
    )
  instance.closeSync()
  await prepare(given)
  const expected = await read(given.outDir)
  const parquet = {
    ...given,
    outDir: `${given.outDir}-2`,
    description: sourceDescriptionSchema.parse({
      persons: { ...personFiles, files: ['persons.parquet'], format: 'parquet' },
      tables: { statement: { ...statementFiles, files: ['t20.parquet'], format: 'parquet' } },
    }),
  }
  const report = await prepare(parquet)
  const { keys, statement } = await read(parquet.outDir)
  t.same({ keys, statement }, { keys: expected.keys, statement: expected.statement })
  t.same(report.tables['statement'], { rows: 3, unknownPersons: 0, absent: ['t20.parquet: DOSE'] })
})

test('refuses bad bytes, NUL, ragged rows and open quotes by file and line', async (t) => {
  const at = (line: number, file = 't20.csv') => ({
    code: 'input-malformed',
    details: { file, line },
  })
  const bad = Buffer.concat([
    Buffer.from(statementCsv),
    Buffer.from([0x41, 0x31, 0x2c, 0xff, 0x0a]),
  ])
  const many = 'A1,C,1,20190101\n'.repeat(400_000)
  const cases: [string, Files, object, ReturnType<typeof at>][] = [
    ['bytes that are not UTF-8', { 't20.csv': bad }, {}, at(5)],
    [
      'CP949 called UTF-8',
      { 'persons.csv': iconv.encode(personsCsv, 'cp949') },
      {},
      at(2, 'persons.csv'),
    ],
    ['bytes that are not CP949', { 't20.csv': bad }, { encoding: 'cp949' }, at(5)],
    ['half a character at the end', { 't20.csv': bad.subarray(0, -1) }, {}, at(5)],
    ['NUL', { 't20.csv': statementCsv.replace('C2', 'C\0') }, {}, at(3)],
    ['a row too short', { 't20.csv': statementCsv.replace(',007', '') }, {}, at(3)],
    ['a row too long', { 't20.csv': statementCsv.replace(',007', ',007,1') }, {}, at(3)],
    [
      'a row too short far down',
      { 't20.csv': `${statementCsv}${many}A1,C\n${many}` },
      {},
      at(400_005),
    ],
    [
      'an open quote far down',
      { 't20.csv': `${statementCsv}${many}${many}A1,"C,1,20190101\n${many}` },
      {},
      at(800_005),
    ],
    [
      'an open quote at the end',
      { 't20.csv': `${statementCsv}${many}${many}${many}A1,C,1,"2019\n` },
      {},
      at(1_200_005),
    ],
    ['an open quote', { 't20.csv': statementCsv.replace('C2', '"C2') }, {}, at(3)],
    ['a line of 3 MB', { 't20.csv': statementCsv.replace('C2', 'x'.repeat(3_000_000)) }, {}, at(3)],
  ]
  for (const [name, files, statement, expected] of cases) {
    await t.test(name, async (t) => {
      await requireRefusal(t, await options(t, { ...usual, ...files }, { statement }), expected)
    })
  }
})

test('refuses an empty file and a missing one', async (t) => {
  await requireRefusal(t, await options(t, { ...usual, 't20.csv': '' }), {
    code: 'input-malformed',
    details: { file: 't20.csv' },
  })
  await requireRefusal(t, await options(t, { 'persons.csv': personsCsv }), {
    code: 'not-found',
    details: { file: 't20.csv' },
  })
})

test('refuses missing and unknown columns and tables by name', async (t) => {
  const missing = { code: 'column-missing', details: { file: 't20.csv', column: 'NOPE' } }
  await requireRefusal(
    t,
    await options(t, usual, { statement: { columns: { claim_key: 'NOPE' } } }),
    missing,
  )
  await requireRefusal(t, await options(t, usual, { statement: { columns: {} } }), {
    code: 'column-missing',
    details: { file: 't20.csv', column: 'claim_key' },
  })
  await requireRefusal(
    t,
    await options(t, usual, { statement: { columns: { claim_key: 'MID', odd: 'ST' } } }),
    { code: 'column-unknown', details: { table: 'statement', column: 'odd' } },
  )
  await requireRefusal(t, await options(t, usual, { persons: { fields: { name: 'NM' } } }), {
    code: 'column-missing',
    details: { column: 'registrationNumber' },
  })
  await requireRefusal(
    t,
    await options(t, { ...usual, 't20.csv': statementCsv.replace('FORM', 'jid') }),
    { code: 'input-malformed', details: { file: 't20.csv', line: 1 } },
  )
  const given = await options(t, usual)
  await requireRefusal(
    t,
    { ...given, recipe: { ...wanted, tables: {} } },
    { code: 'column-unknown', details: { table: 'statement' } },
  )
})

test('refuses a registration number in any column of the payload, far down, by line and column', async (t) => {
  const filler = 'A1,C,1,20190101\n'.repeat(900_000)
  const forms = [
    '900101-1000002',
    '9001011000002',
    '900101 1000002',
    'see 9001011000002.',
    '"note\n9001011000002"',
  ]
  for (const form of forms) {
    await t.test(form.replaceAll(/\d/g, '9'), async (t) => {
      const text = `${statementCsv}${filler}A2,C8,${form},20190101\nA1,C,1,20190101\n`
      const given = await options(t, { ...usual, 't20.csv': text })
      await requireRefusal(t, given, {
        code: 'identifier-in-payload',
        details: { file: 't20.csv', column: 'FORM', line: 900_005 },
      })
    })
  }
})

test('does not take other long numbers for registration numbers', async (t) => {
  const fine = [
    '12345678901234',
    '1.9001011000002',
    '9013011000002',
    '900101-9000002',
    'C9001011000002345',
    '20190101123456',
    '',
  ]
  const text = `${statementCsv}${fine.map((cell) => `A1,${cell},1,20190101\n`).join('')}`
  const given = await options(t, { ...usual, 't20.csv': text })
  t.equal((await prepare(given)).tables['statement']?.rows, 3 + fine.length)
  const number = await options(
    t,
    { ...usual, 't20.csv': `${statementCsv}A1,9001011000002,1,20190101\n` },
    { statement: { notIdentifying: ['claim_key'] } },
  )
  t.equal(
    (await prepare(number)).tables['statement']?.rows,
    4,
    'what the agency answers for is not searched',
  )
})

test('counts rows without a person, and refuses too many', async (t) => {
  const text = `${statementCsv}B7,C4,1,20190101\n,C5,1,20190101\n`
  const given = await options(t, { ...usual, 't20.csv': text }, { unknownMaxShare: 0.5 })
  t.same((await prepare(given)).tables['statement'], {
    rows: 3,
    unknownPersons: 2,
    absent: ['t20.csv: DOSE'],
  })
  const strict = await options(t, { ...usual, 't20.csv': text })
  await requireRefusal(t, strict, {
    code: 'too-many-bad-rows',
    details: { table: 'statement', rows: 5, unknownPersons: 2 },
  })
})

test('does not overwrite a delivery, and stops when asked', async (t) => {
  const given = await options(t, usual)
  await prepare(given)
  await t.rejects(prepare(given), { code: 'already-exists' })
  const many = await options(t, {
    ...usual,
    't20.csv': `${statementCsv}${'A1,C,1,20190101\n'.repeat(500_000)}`,
  })
  const stop = new AbortController()
  const told: string[] = []
  const onProgress = (progress: { stage: string }) => {
    told.push(progress.stage)
    if (progress.stage === 'keys') stop.abort()
  }
  await t.rejects(prepare({ ...many, signal: stop.signal, onProgress }), { name: 'AbortError' })
  t.same((await readdir(many.sourceDir)).sort(), ['persons.csv', 't20.csv'])
  t.ok(told.includes('persons'))
})

function keysOf(person: Record<string, string>) {
  const key = (type: 'K1' | 'K2' | 'K4') => keyOf(agenciesKey, koreanRecipe, type, person)
  return { K1: key('K1'), K2: key('K2'), K4: key('K4') }
}
