import { createHash } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import iconv from 'iconv-lite'
import { test } from 'tap'
import { prepare } from '../../src/agency/prepare.ts'

import { sourceDescriptionSchema } from '../../src/agency/source-description.ts'

import { manifestSchema } from '../../src/core/manifest.ts'

import {
  keysOf,
  options,
  personFiles,
  personsCsv,
  read,
  statementCsv,
  statementFiles,
  usual,
} from './support.ts'

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
  t.same(report.tables, {
    statement: { rows: 3, unknownPersons: 0, notWanted: 0, absent: ['t20.csv: DOSE'], asText: [] },
  })
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
    ['1', 'statement1'],
    'small files are one part',
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
    notWanted: 0,
    absent: ['all.csv: FORM', 'all.csv: DOSE'],
    asText: [],
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
  t.same(report.tables['statement'], {
    rows: 3,
    unknownPersons: 0,
    notWanted: 0,
    absent: ['t20.parquet: DOSE'],
    asText: [],
  })
})

test('sends notices as pairs of K1 and keeps the numbers', async (t) => {
  const notices = 'OLD,NEW\n900101-1000002,900101-1000010\n,8512312000004\n'
  const given = await options(t, { ...usual, 'notices.csv': notices })
  const fields = { oldRegistrationNumber: 'OLD', newRegistrationNumber: 'NEW' }
  const description = sourceDescriptionSchema.parse({
    ...given.description,
    notices: { files: ['notices.csv'], fields },
  })
  const { manifest, notices: pairs } = await prepare({ ...given, description })
  t.equal(pairs, 1, 'one lacks a number')
  t.match(manifest.parts.at(1), { table: '#notices', number: 1, rows: 1 })
  const path = join(given.outDir, 'notices', 'part-00001.parquet')
  const instance = await DuckDBInstance.create()
  const reader = await (await instance.connect()).runAndReadAll(`from '${path}'`)
  const k1 = (registrationNumber: string): unknown => keysOf({ registrationNumber })['K1']
  t.same(reader.getRowObjectsJS(), [{ old_K1: k1('9001011000002'), new_K1: k1('9001011000010') }])
  instance.closeSync()
})
