import { createHash, createSecretKey } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { test } from 'tap'
import { macColumn } from '../../src/core/mac.ts'
import { quoteText } from '../../src/engine/session.ts'
import { type TakeKeys, type TakenKeys, takeKeys } from '../../src/engine/take-keys.ts'
import { openScratch, refusalOf, written } from './scratch.ts'

const linkageKey = createSecretKey(Buffer.alloc(32, 7))
const tokensOf = (keys: Uint8Array): Uint8Array => macColumn('cmac-aes-256', linkageKey, keys, 32)
const keyOf = (text: string): string => createHash('sha256').update(text).digest('hex')

type Scratch = Awaited<ReturnType<typeof openScratch>>

async function take(
  { session, path }: Scratch,
  text: string,
  options: Partial<TakeKeys> = {},
): Promise<TakenKeys> {
  return await takeKeys(session, {
    input: await written(path('keys.csv'), text),
    mediaType: 'text/csv',
    keyTypes: ['K1', 'K4'],
    quarantine: [],
    tokensOf,
    output: path('tokens.parquet'),
    ...options,
  })
}

test('makes each key the token that the MAC of its 32 bytes is', async (t) => {
  const scratch = await openScratch(t)
  const [k1, k4] = [keyOf('1'), keyOf('4')]
  const taken = await take(scratch, `K4,serial,K1\n${k4},s1,${k1}\n,s2,${k4}\n`)
  t.same(taken, {
    rows: 2,
    taken: 2,
    empty: { K1: 0, K4: 1 },
    quarantined: { K1: 0, K4: 0 },
    refusals: {},
  })
  const rows = await scratch.session.rows<Record<string, string | null>>(`
    select serial, t1::varchar as t1, t2, t3, t4::varchar as t4, t5
    from read_parquet(${quoteText(scratch.path('tokens.parquet'))})`)
  const tokenOf = (key: string): string =>
    Buffer.from(tokensOf(Buffer.from(key, 'hex')))
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  t.same(rows, [
    { serial: 's1', t1: tokenOf(k1), t2: null, t3: null, t4: tokenOf(k4), t5: null },
    { serial: 's2', t1: tokenOf(k4), t2: null, t3: null, t4: null, t5: null },
  ])
})

test('writes no key and takes Parquet as it takes CSV', async (t) => {
  const scratch = await openScratch(t)
  const key = keyOf('marked')
  await take(scratch, `serial,K1,K4\ns1,${key},${keyOf('4')}\n`)
  const fromCsv = await readFile(scratch.path('tokens.parquet'))
  t.notOk(fromCsv.includes(key) || fromCsv.includes(Buffer.from(key, 'hex')))
  const input = scratch.path('keys.parquet')
  await scratch.session.run(`
    copy (select '${keyOf('4')}' as K4, 's1' as serial, '${key}' as K1) to ${quoteText(input)}`)
  await take(scratch, '', { input, mediaType: 'application/vnd.apache.parquet' })
  t.same(await readFile(scratch.path('tokens.parquet')), fromCsv)
})

test('refuses keys made wrongly, naming the mistake and the first line', async (t) => {
  const scratch = await openScratch(t)
  const key = keyOf('x')
  const mistakes: [string, string][] = [
    [key.toUpperCase(), 'upper case'],
    [`${key.slice(0, 63)}A`, 'upper case'],
    [Buffer.from(key, 'hex').toString('base64'), 'base64'],
    [Buffer.from(key, 'hex').toString('base64url'), 'base64'],
    [key.slice(0, 63), 'wrong length'],
    [`${key}0`, 'wrong length'],
    [`${key} `, 'wrong length'],
    [`${key.slice(0, 63)}g`, 'not hexadecimal'],
    [`${key.slice(0, 60)}-123`, 'not hexadecimal'],
  ]
  for (const [bad, mistake] of mistakes) {
    const good = Array.from({ length: 5_000 }, (_, row) => `s${row},${keyOf(`${row}`)},`)
    const rows = [...good, `b1,${key},${bad}`, `b2,${bad},`].join('\n')
    const refusal = await refusalOf(take(scratch, `serial,K1,K4\n${rows}\n`))
    t.equal(refusal.code, 'key-not-canonical')
    t.same(refusal.details, { column: 'K4', mistake, line: 5_002, rows: 1 }, mistake)
    t.notMatch(JSON.stringify([refusal, refusal.message]), bad.slice(0, 16))
  }
  t.notOk((await readdir(scratch.dir)).includes('tokens.parquet'), 'and leaves no file')
})

test('quarantines the keys of the empty and of placeholders, and counts them', async (t) => {
  const scratch = await openScratch(t)
  const nobody = ['', '0000000000000', '9999999999999'].map(keyOf)
  const many = Array.from({ length: 30 }, (_, index) => keyOf(`placeholder ${index}`))
  for (const quarantine of [nobody, [...nobody, ...many]]) {
    const rows = Array.from({ length: 10_000 }, (_, row) => {
      const key = row % 2 === 0 ? quarantine[row % quarantine.length] : keyOf(`${row}`)
      return `s${row},${key},${row % 4 === 1 ? '' : keyOf('birth')}`
    })
    const taken = await take(scratch, `serial,K1,K4\n${rows.join('\n')}\n`, { quarantine })
    t.same(taken.quarantined, { K1: 5_000, K4: 0 })
    t.same(taken.empty, { K1: 0, K4: 2_500 })
    t.equal(taken.taken, 10_000)
    const [row] = await scratch.session.rows(`
      select count(t1) as t1, count(t4) as t4
      from read_parquet(${quoteText(scratch.path('tokens.parquet'))})`)
    t.same(row, { t1: 5_000, t4: 7_500 })
  }
})

test('refuses a serial that is there twice, malformed, missing or a registration number', async (t) => {
  const scratch = await openScratch(t)
  const row = (serial: string): string => `${serial},${keyOf(serial)},`
  const text = (...serials: string[]): string => `serial,K1,K4\n${serials.map(row).join('\n')}\n`
  const cases: [string[], string, Record<string, unknown>][] = [
    [['a', 'b', 'c', 'b', 'a'], 'input-malformed', { reason: 'repeated', rows: 2, line: 5 }],
    [['a', 'b c'], 'input-malformed', { reason: 'serial-malformed', line: 3 }],
    [['a', 'x'.repeat(65)], 'input-malformed', { reason: 'serial-malformed', line: 3 }],
    [['a', ''], 'input-malformed', { reason: 'serial-malformed', line: 3 }],
    [['a', '800101-1234567'], 'identifier-in-payload', { column: 'serial', line: 3 }],
    [['a', '8001011234567'], 'identifier-in-payload', { column: 'serial', line: 3 }],
  ]
  for (const [serials, code, details] of cases) {
    const refusal = await refusalOf(take(scratch, text(...serials)))
    t.equal(refusal.code, code)
    t.match(refusal.details, details)
  }
  t.equal((await take(scratch, text('f8001011234567ab', 'x'.repeat(64), 'a.b_c-D'))).taken, 3)
})

test('refuses columns that were not declared, and a file without the ones that were', async (t) => {
  const scratch = await openScratch(t)
  const key = keyOf('x')
  t.same((await refusalOf(take(scratch, `serial,K1\ns,${key}\n`))).code, 'column-missing')
  t.same((await refusalOf(take(scratch, `serial,k1,K4\ns,${key},\n`))).code, 'column-missing')
  const unknown = await refusalOf(take(scratch, `serial,K1,K4,K2\ns,${key},,${key}\n`))
  t.same([unknown.code, unknown.details], ['column-unknown', { position: 4 }])
})
