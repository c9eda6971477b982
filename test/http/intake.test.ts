import { createHmac } from 'node:crypto'
import { type Test, test } from 'tap'
import { deliver, type TestPart, testKey } from '../support/exchange.ts'
import { type HttpStage, keysPart, startHttpStage, tableHeader, tablePart } from './stage.ts'

const csv = (table: string, rows: number, bytes: string | Buffer): TestPart => ({
  table,
  number: 1,
  rows,
  bytes: Buffer.from(bytes),
})
const visits = (rows: number, lines: string): TestPart =>
  csv('visits', rows, `${tableHeader}\n${lines}`)
const keys = (rows: number, lines: string): TestPart => csv('', rows, `serial,K1\n${lines}`)

/** What the service says of the one part in question. */
type Shown = {
  state: string
  rows: number
  rowsTaken: number
  refusals: Record<string, { rows: number; firstLine: number }>
  report: { refusal?: { code: string; details: Record<string, unknown> }; quarantined?: unknown }
}

let wave = 0

/** Delivers a part beside a sound one of the other kind, in a wave of its own, and says what came of it. */
async function taken({ service, other }: HttpStage, part: TestPart): Promise<Shown> {
  const beside = part.table === '' ? tablePart('visits', 2) : keysPart(2)
  wave += 1
  const { delivery, job } = await deliver(other, 'hostile', [part, beside], wave)
  await service.jobEnd(other, job)
  const { body } = await other.get(`/v1/deliveries/${delivery}`)
  return body.parts.find((each: { table: string }) => each.table === part.table)
}

async function refuses(
  t: Test,
  stage: HttpStage,
  cases: Record<string, { part: TestPart; code: string; details?: object; not?: RegExp }>,
): Promise<void> {
  for (const [what, { part, code, details = {}, not }] of Object.entries(cases)) {
    const shown = await taken(stage, part)
    t.match(shown, { state: 'refused', report: { refusal: { code, details } } }, what)
    if (not) t.notMatch(JSON.stringify(shown), not, `${what}: the value is not repeated`)
  }
}

test('what is taken in and what is refused, as its agency sees it', async (t) => {
  const stage = await startHttpStage(t)
  const key = testKey('one')

  await t.test('a part of keys that are not keys is refused, naming the mistake', async (t) => {
    const upper = key.toUpperCase()
    const base64 = createHmac('sha256', 'k').update('one').digest('base64')
    const malformed = 'key-not-canonical'
    await refuses(t, stage, {
      'upper case': {
        part: keys(2, `a,${key}\nb,${upper}\n`),
        code: malformed,
        details: { mistake: 'upper case' },
        not: new RegExp(upper),
      },
      base64: { part: keys(1, `a,${base64}\n`), code: malformed, details: { mistake: 'base64' } },
      short: {
        part: keys(1, `a,${key.slice(1)}\n`),
        code: malformed,
        details: { mistake: 'wrong length' },
        not: new RegExp(key.slice(1)),
      },
      'a registration number as serial': {
        part: keys(1, `900101-1234568,${key}\n`),
        code: 'identifier-in-payload',
        not: /900101/,
      },
      'a serial twice': { part: keys(2, `a,${key}\na,${key}\n`), code: 'input-malformed' },
    })
  })

  await t.test('bytes that are no table are refused with their line', async (t) => {
    const row = 'a,C50,20200101,1,'
    const code = 'input-malformed'
    const bytes = (middle: Buffer): TestPart =>
      csv(
        'visits',
        2,
        Buffer.concat([Buffer.from(`${tableHeader}\n${row}x\n${row}`), middle, Buffer.from('\n')]),
      )
    await refuses(t, stage, {
      CP949: { part: bytes(Buffer.from([0xb0, 0xe1])), code, details: { line: 3 } },
      'a cut character': { part: bytes(Buffer.from([0xed, 0x95])), code, details: { line: 3 } },
      'a surrogate': { part: bytes(Buffer.from([0xed, 0xa0, 0x80])), code, details: { line: 3 } },
      NUL: { part: bytes(Buffer.from([0])), code, details: { line: 3 } },
    })
  })

  await t.test('mark, CRLF, blank lines and a missing last newline mean the same', async (t) => {
    const rows = ['a,C50,20200101,1,x', 'b,C51,2020-01-02,2,y']
    for (const text of [
      `\ufeff${tableHeader}\n${rows.join('\n')}\n`,
      `${tableHeader}\r\n${rows.join('\r\n')}\r\n`,
      `${tableHeader}\n${rows.join('\n\n')}\n\n`,
      `${tableHeader}\n${rows.join('\n')}`,
    ]) {
      t.match(await taken(stage, csv('visits', 2, text)), { state: 'taken', rowsTaken: 2 })
    }
  })

  await t.test('a registration number anywhere stops the part, and is not repeated', async (t) => {
    const code = 'identifier-in-payload'
    const not = /900101|1234568/
    const sound = Array.from({ length: 3_000 }, (_, row) => `a${row},C,20200101,1,x`).join('\n')
    await refuses(t, stage, {
      'in a text': {
        part: visits(3_001, `${sound}\nz,C,20200101,1,no 900101-1234568\n`),
        code,
        not,
      },
      'in a code': { part: visits(1, 'z,9001011234568,20200101,1,x\n'), code, not },
      'as a serial': { part: visits(1, '9001011234568,C,20200101,1,x\n'), code, not },
    })
  })

  await t.test('columns must be the catalogue’s, rows of its types', async (t) => {
    await refuses(t, stage, {
      'one is missing': {
        part: csv('visits', 1, 'serial,code,day,count\na,C,20200101,1\n'),
        code: 'column-missing',
        details: { column: 'note' },
      },
      'one too many': {
        part: csv('visits', 1, `${tableHeader},more\na,C,20200101,1,x,y\n`),
        code: 'column-unknown',
      },
      'too many bad rows': {
        part: visits(2, 'a,C,x,1,x\nb,C,y,1,x\n'),
        code: 'too-many-bad-rows',
      },
      'another number of rows than declared': {
        part: visits(3, 'a,C,20200101,1,x\nb,C,20200101,1,x\n'),
        code: 'manifest-differs',
        details: { rows: 2, declaredRows: 3 },
      },
    })
    const sound = Array.from({ length: 8 }, (_, row) => `a${row},007,20200101,1,x`)
    const bad = [
      'b,C,20230231,1,x',
      'c,C,20200100,1,x',
      'd,C,20200101,1001,x',
      'e,01234567890,20200101,1,x',
    ]
    const shown = await taken(stage, visits(12, `${[...sound, ...bad].join('\n')}\n`))
    t.match(shown, { state: 'taken', rows: 12, rowsTaken: 8 })
    t.match(shown.refusals, {
      'day: wrong-type': { rows: 2, firstLine: 10 },
      'count: out-of-range': { rows: 1, firstLine: 12 },
      'code: too-long': { rows: 1, firstLine: 13 },
    })
  })

  await t.test('text that other programs would obey is only text here', async (t) => {
    const texts = [
      '=cmd|calc',
      '+1',
      '@x',
      '"a ""quoted"", text"',
      '"two\nlines"',
      "'; drop table gyeol.job; --",
      '../../etc/passwd',
      '\u001b[31mred\u001b[0m',
      '{{7*7}}',
      '$(id)',
    ]
    const lines = texts.map((text, row) => `a${row},C,20200101,1,${text}`).join('\n')
    const shown = await taken(stage, visits(texts.length, `${lines}\n`))
    t.match(shown, { state: 'taken', rowsTaken: texts.length })
    const { other } = stage
    t.equal((await jobsOf(stage)) > 0, true, 'the jobs are still there')
    t.equal((await other.get('/v1/projects/hostile')).status, 200)
  })
})

async function jobsOf({ service }: { service: HttpStage['service'] }): Promise<number> {
  const { rows } = await service.database.pool('admin', 1).query('select count(*) from gyeol.job')
  return Number(rows[0]?.count)
}
