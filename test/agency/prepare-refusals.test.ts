import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import iconv from 'iconv-lite'
import { test } from 'tap'
import { prepare } from '../../src/agency/prepare.ts'

import {
  type Files,
  options,
  personsCsv,
  requireRefusal,
  statementCsv,
  usual,
  wanted,
} from './support.ts'

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
  const forms = [
    '900101-1000002',
    '9001011000002',
    '900101 1000002',
    'see 9001011000002.',
    '"note\n9001011000002"',
  ]
  for (const [index, form] of forms.entries()) {
    const before = index === 0 ? 900_000 : 1000
    const filler = 'A1,C,1,20190101\n'.repeat(before)
    await t.test(form.replaceAll(/\d/g, '9'), async (t) => {
      const text = `${statementCsv}${filler}A2,C8,${form},20190101\nA1,C,1,20190101\n`
      const given = await options(t, { ...usual, 't20.csv': text })
      await requireRefusal(t, given, {
        code: 'identifier-in-payload',
        details: { file: 't20.csv', column: 'FORM', line: before + 5 },
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
    notWanted: 0,
    absent: ['t20.csv: DOSE'],
    asText: [],
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
  const file = join(given.sourceDir, 'kept.csv')
  await writeFile(file, 'kept')
  await t.rejects(prepare({ ...given, outDir: file }), { code: 'already-exists' })
  t.equal(await readFile(file, 'utf8'), 'kept', 'nor a file that stands in its place')
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
