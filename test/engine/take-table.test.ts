import { open, readdir } from 'node:fs/promises'
import { test } from 'tap'
import type { CatalogueTable } from '../../src/catalogue/schema.ts'
import type { MediaType } from '../../src/engine/part-source.ts'
import { quoteText, type Session } from '../../src/engine/session.ts'
import { type TakenTable, takeTable } from '../../src/engine/take-table.ts'
import { openScratch, refusalOf, tableOf, written } from './scratch.ts'

const csv: MediaType = 'text/csv'
const parquet: MediaType = 'application/vnd.apache.parquet'

type Scratch = Awaited<ReturnType<typeof openScratch>>

async function takeText(
  { session, path }: Scratch,
  table: CatalogueTable,
  text: string | Uint8Array,
): Promise<TakenTable> {
  const input = await written(path('in.csv'), text)
  return await takeTable(session, { input, mediaType: csv, table, output: path('out.parquet') })
}

async function takenRows(session: Session, path: (name: string) => string): Promise<unknown[]> {
  return await session.rows(`select * from read_parquet(${quoteText(path('out.parquet'))})`)
}

const small = tableOf({ A: { type: 'code' }, B: { type: 'integer' } })

test('types every column and puts them in the order of the catalogue', async (t) => {
  const scratch = await openScratch(t)
  const table = tableOf({
    CODE: { type: 'code', lengthMax: 4 },
    TEXT: { type: 'text' },
    N: { type: 'integer', min: 0, max: 9999 },
    BIG: { type: 'integer' },
    D: { type: 'decimal' },
    DAY: { type: 'date', format: 'YYYYMMDD' },
    DAY2: { type: 'date' },
    YM: { type: 'year-month' },
    AT: { type: 'timestamp' },
  })
  const header = 'BIG,DAY2,serial,CODE,TEXT,N,D,DAY,YM,AT'
  const text = `${header}\n-5,2024-02-29,s1,0070,한글 "q",0012,1.50,20240229,202402,2024-02-29T10:11:12\n,20240101,s2,,,,,,2024-03,\n`
  const taken = await takeText(scratch, table, text.replace('한글 "q"', '"한글 ""q"""'))
  t.same(taken, { rows: 2, taken: 2, refusals: {} })
  const out = quoteText(scratch.path('out.parquet'))
  const types = await scratch.session.rows<{ column_name: string; column_type: string }>(
    `describe select * from read_parquet(${out})`,
  )
  t.same(
    types.map((column) => [column.column_name, column.column_type]),
    [
      ['serial', 'VARCHAR'],
      ['CODE', 'VARCHAR'],
      ['TEXT', 'VARCHAR'],
      ['N', 'INTEGER'],
      ['BIG', 'BIGINT'],
      ['D', 'DOUBLE'],
      ['DAY', 'DATE'],
      ['DAY2', 'DATE'],
      ['YM', 'VARCHAR'],
      ['AT', 'TIMESTAMP'],
    ],
  )
  const rows = await scratch.session.rows(
    `select serial, CODE, TEXT, N, BIG, D, DAY::varchar as DAY, DAY2::varchar as DAY2, YM, "AT"::varchar as "AT"
     from read_parquet(${out})`,
  )
  t.same(rows[0], {
    serial: 's1',
    CODE: '0070',
    TEXT: '한글 "q"',
    N: 12,
    BIG: -5,
    D: 1.5,
    DAY: '2024-02-29',
    DAY2: '2024-02-29',
    YM: '2024-02',
    AT: '2024-02-29 10:11:12',
  })
})

test('means the same with a byte order mark, CRLF, blank lines, no last newline, quotes', async (t) => {
  const scratch = await openScratch(t)
  const rows = [
    { serial: 's1', A: 'x', B: 1 },
    { serial: 's2', A: null, B: 2 },
  ]
  const plain = 'serial,A,B\ns1,x,1\ns2,,2\n'
  for (const text of [
    plain,
    `\ufeff${plain}`,
    plain.replaceAll('\n', '\r\n'),
    `\ufeff${plain.replaceAll('\n', '\r\n')}`,
    plain.trimEnd(),
    'serial,A,B\n\ns1,x,1\n\n\ns2,,2\n\n',
    'serial,A,B\r\n\r\ns1,x,1\r\n\r\ns2,,2\r\n',
    '"serial","A","B"\n"s1","x","1"\n"s2","","2"\n',
    'B,serial,A\n1,s1,x\n2,s2,\n',
  ]) {
    const taken = await takeText(scratch, small, text)
    t.equal(taken.taken, 2)
    t.same(await takenRows(scratch.session, scratch.path), rows, JSON.stringify(text))
  }
})

test('refuses a file that is not a table of UTF-8 with the line where it goes wrong', async (t) => {
  const scratch = await openScratch(t)
  const at = (...parts: (string | number[])[]): Buffer =>
    Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  const good = 'serial,A,B\ns1,x,1\n\n"s2","two\nlines",2\n'
  const cases: [string, Buffer, string, number][] = [
    ['NUL', at(good, 's3,a\0b,3\n'), 'NUL', 6],
    ['bad UTF-8', at(good, 's3,', [0xb0, 0xa1], ',3\n'), 'not UTF-8', 6],
    ['lone surrogate', at(good, 's3,', [0xed, 0xa0, 0x80], ',3\n'), 'not UTF-8', 6],
    ['short row', at(good, 's3,x\n'), 'number of cells', 6],
    ['long row', at(good, 's3,x,3,4\n'), 'number of cells', 6],
    ['short last row', at(good, 's3,x'), 'number of cells', 6],
    ['open quote', at(good, 's3,"x,3\ns4,y,4\n'), 'quote not closed', 6],
    ['open quote in the last cell', at(good, 's3,a"b,"4\n'), 'quote not closed', 6],
    ['text after a quote', at(good, 's3,"x"y,3\n'), 'quote', 6],
    ['two kinds of newline', at(good, 's3,x,3\r\n'), 'line ending', 6],
    ['carriage return in a cell', at(good, 's3,x\ry,3\n'), 'line ending', 6],
    ['UTF-16', Buffer.from(`\ufeff${good}`, 'utf16le'), 'NUL', 1],
  ]
  for (const [name, bytes, reason, line] of cases) {
    const refusal = await refusalOf(takeText(scratch, small, bytes))
    t.equal(refusal.code, 'input-malformed', name)
    t.same(refusal.details, { reason, line }, name)
  }
  const file = await written(scratch.path('in.parquet'), 'PAR1 this is not one PAR1')
  const refusal = await refusalOf(
    takeTable(scratch.session, {
      input: file,
      mediaType: parquet,
      table: small,
      output: scratch.path('out.parquet'),
    }),
  )
  t.equal(refusal.code, 'input-malformed', 'a Parquet file that is none')
})

test('refuses a line of 200 MB at once and with flat memory', async (t) => {
  const scratch = await openScratch(t)
  const file = await open(scratch.path('long.csv'), 'w')
  await file.write('serial,A,B\ns1,x,1\ns2,')
  for (let block = 0; block < 200; block++) await file.write(Buffer.alloc(1_000_000, 0x61))
  await file.write(',2\n')
  await file.close()
  const before = process.memoryUsage().rss
  const start = performance.now()
  const refusal = await refusalOf(
    takeTable(scratch.session, {
      input: scratch.path('long.csv'),
      mediaType: csv,
      table: small,
      output: scratch.path('out.parquet'),
    }),
  )
  t.same(refusal.details, { reason: 'line too long', line: 3 })
  t.ok(performance.now() - start < 1_000, 'at once')
  t.ok(process.memoryUsage().rss - before < 64 * 1_048_576, 'flat')
})

test('refuses a header of a million columns', async (t) => {
  const scratch = await openScratch(t)
  const refusal = await refusalOf(takeText(scratch, small, `serial${',a'.repeat(1_000_000)}\n`))
  t.equal(refusal.code, 'input-malformed')
})

test('refuses missing and unknown columns, and repeats no name that may be a value', async (t) => {
  const scratch = await openScratch(t)
  const missing = await refusalOf(takeText(scratch, small, 'serial,A\ns1,x\n'))
  t.equal(missing.code, 'column-missing')
  t.same(missing.details, { column: 'B' })
  const unknown = await refusalOf(takeText(scratch, small, 'serial,A,B,EXTRA\ns1,x,1,y\n'))
  t.equal(unknown.code, 'column-unknown')
  t.same(unknown.details, { position: 4, column: 'EXTRA' })
  const value = await refusalOf(takeText(scratch, small, 'serial,A,B,8001011234567\ns1,x,1,y\n'))
  t.same(value.details, { position: 4 })
  const headless = await refusalOf(takeText(scratch, small, 's1,MARKED,1\ns2,x,2\n'))
  t.equal(headless.code, 'column-missing')
  t.notMatch(JSON.stringify(headless.details), 'MARKED')
  const lower = await refusalOf(takeText(scratch, small, 'serial,a,B\ns1,x,1\n'))
  t.equal(lower.code, 'column-missing', 'names are compared with their case')
  const twice = await refusalOf(takeText(scratch, small, 'serial,A,B,b\ns1,x,1,2\n'))
  t.equal(twice.code, 'input-malformed')
})

test('counts bad rows by column and reason with the first line, and takes the rest', async (t) => {
  const scratch = await openScratch(t)
  const table = tableOf(
    {
      C: { type: 'code', codes: ['01', '02'], required: true },
      L: { type: 'code', codes: Array.from({ length: 20 }, (_, code) => `K${code}`) },
      P: { type: 'code', pattern: 'C[0-9]{2}' },
      T: { type: 'text', lengthMax: 3 },
      N: { type: 'integer', min: 1, max: 5 },
      X: { type: 'decimal' },
      D: { type: 'date', format: 'YYYYMMDD' },
      M: { type: 'year-month' },
    },
    1,
  )
  const good = 's,01,K1,C50,한글임,3,1e3,20240229,202412'
  const bad: [string, string][] = [
    ['s,1,,,,,,,', 'C: not-in-list'],
    ['s,,,,,,,,', 'C: missing'],
    ['s,01,K20,,,,,,', 'L: not-in-list'],
    ['s,01,,C5,,,,,', 'P: pattern'],
    ['s,01,,xC50x,,,,,', 'P: pattern'],
    ['s,01,,,한글임다,,,,', 'T: too-long'],
    ['s,01,,,,1.6,,,', 'N: wrong-type'],
    ['s,01,,,,1_0,,,', 'N: wrong-type'],
    ['s,01,,,, 1,,,', 'N: wrong-type'],
    ['s,01,,,,6,,,', 'N: out-of-range'],
    ['s,01,,,,99999999999999999999,,,', 'N: wrong-type'],
    ['s,01,,,,,inf,,', 'X: wrong-type'],
    ['s,01,,,,,1_0,,', 'X: wrong-type'],
    ['s,01,,,,,,20240231,', 'D: wrong-type'],
    ['s,01,,,,,,20240100,', 'D: wrong-type'],
    ['s,01,,,,,,2024-01-01,', 'D: wrong-type'],
    ['s,01,,,,,,2024011,', 'D: wrong-type'],
    ['s,01,,,,,,,202413', 'M: wrong-type'],
    ['s,01,,,,,,,2024', 'M: wrong-type'],
    ['"s;1",01,,,,,,,', 'serial: serial-malformed'],
    [',01,,,,,,,', 'serial: serial-malformed'],
    [`${'s'.repeat(65)},01,,,,,,,`, 'serial: serial-malformed'],
  ]
  for (const [row, reason] of bad) {
    const text = `serial,${Object.keys(table.columns).join(',')}\n${good}\n\n${row}\n${good}\n${row}\n`
    const taken = await takeText(scratch, table, text)
    t.same(taken, { rows: 4, taken: 2, refusals: { [reason]: { rows: 2, firstLine: 4 } } }, reason)
  }
})

test('refuses a part with more bad rows than the table allows, with counts and no value', async (t) => {
  const scratch = await openScratch(t)
  const rows = Array.from({ length: 100 }, (_, row) => `s${row},x,${row < 2 ? 'MARKED' : row}`)
  const refusal = await refusalOf(takeText(scratch, small, `serial,A,B\n${rows.join('\n')}\n`))
  t.equal(refusal.code, 'too-many-bad-rows')
  t.match(refusal.details, { rows: 100, badRows: 2, 'B: wrong-type (first line)': 2 })
  t.notMatch(JSON.stringify(refusal), 'MARKED')
  t.notOk((await readdir(scratch.dir)).includes('out.parquet'), 'and leaves no file')
  const rowsAtLimit = rows.map((row, index) => (index === 1 ? 's1,x,1' : row))
  const taken = await takeText(scratch, small, `serial,A,B\n${rowsAtLimit.join('\n')}\n`)
  t.equal(taken.taken, 99)
})

test('refuses a registration number in any column, naming column and line only', async (t) => {
  const scratch = await openScratch(t)
  const table = tableOf(
    {
      CODE: { type: 'code' },
      SHORT: { type: 'code', lengthMax: 4 },
      TEXT: { type: 'text' },
      N: { type: 'integer' },
      X: { type: 'decimal' },
      D: { type: 'date' },
    },
    1,
  )
  const columns = ['serial', ...Object.keys(table.columns)]
  for (const column of columns) {
    for (const number of ['8001011234567', '800101-1234567']) {
      const isAsNumber = (column === 'N' || column === 'X') && number.length === 13
      const row = columns.map((name) => (name === column ? number : name === 'serial' ? 's2' : ''))
      const text = `${columns.join(',')}\ns1,a,b,c,1,1,20240101\n${row.join(',')}\n`
      const refusal = await refusalOf(takeText(scratch, table, text))
      t.equal(refusal.code, 'identifier-in-payload', `${column} ${isAsNumber}`)
      t.same(refusal.details, { column, rows: 1, line: 3 }, column)
      t.notMatch(JSON.stringify([refusal, refusal.message]), '1234567')
    }
  }
  const inWords = 'serial,CODE,SHORT,TEXT,N,X,D\ns1,a,b,번호는 800101-1234567입니다,1,1,20240101\n'
  t.equal((await refusalOf(takeText(scratch, table, inWords))).code, 'identifier-in-payload')
  const harmless =
    'serial,CODE,SHORT,TEXT,N,X,D\ns1,a8001011234567f,b,80010112345678,1,1,20240101\n'
  t.equal((await takeText(scratch, table, harmless)).taken, 1, 'random codes have the shape inside')
})

test('reads rows between quotes as text, wherever a reader begins', async (t) => {
  const table = tableOf({ A: { type: 'text' }, B: { type: 'integer' } })
  const rows = Array.from({ length: 150_000 }, (_, row) => {
    return `s${row},"${'z'.repeat((row * 7_919) % 600)}\n,s1,1\n",${row}`
  })
  const scratch = await openScratch(t)
  const taken = await takeText(scratch, table, `serial,A,B\n${rows.join('\n')}\n`)
  t.same(taken, { rows: rows.length, taken: rows.length, refusals: {} })
  const [sum] = await scratch.session.rows(`
    select sum(B) as sum, count(distinct serial) as serials
    from read_parquet(${quoteText(scratch.path('out.parquet'))})`)
  t.same(sum, { sum: (rows.length * (rows.length - 1)) / 2, serials: rows.length })
})

test('carries hostile texts as they are', async (t) => {
  const scratch = await openScratch(t)
  const table = tableOf({ A: { type: 'text' }, B: { type: 'integer' } })
  const texts = [
    '=cmd',
    '+1',
    '@x',
    `'; drop table x; --`,
    '../../etc',
    '\u001b[31m',
    'a\nb',
    '"',
    'NULL',
  ]
  const quoted = texts.map((text, row) => `s${row},"${text.replaceAll('"', '""')}",${row}`)
  await takeText(scratch, table, `serial,A,B\n${quoted.join('\n')}\n`)
  const rows = await scratch.session.rows<{ A: string }>(
    `select A from read_parquet(${quoteText(scratch.path('out.parquet'))}) order by B`,
  )
  t.same(
    rows.map(({ A }) => A),
    texts,
  )
})

test('takes Parquet, as text or typed, and refuses numbers where codes keep their zeros', async (t) => {
  const { session, path } = await openScratch(t)
  const table = tableOf(
    { A: { type: 'code' }, B: { type: 'integer', max: 9 }, D: { type: 'date' } },
    1,
  )
  const input = path('in.parquet')
  const take = (select: string): Promise<TakenTable> =>
    session
      .run(`copy (${select}) to ${quoteText(input)} (format parquet)`)
      .then(() =>
        takeTable(session, { input, mediaType: parquet, table, output: path('out.parquet') }),
      )
  const text = `select 's' || r as serial, '0' || r as A, r::varchar as B, '20240101' as D from range(12) t(r)`
  t.same(await take(text), {
    rows: 12,
    taken: 10,
    refusals: { 'B: out-of-range': { rows: 2, firstLine: 11 } },
  })
  const typed = `select date '2024-01-01' as D, 's' || r as serial, '0' || r as A, r::smallint as B from range(5) t(r)`
  t.equal((await take(typed)).taken, 5)
  const numbers = await refusalOf(take(`select 's' as serial, 7 as A, 1 as B, null::date as D`))
  t.same([numbers.code, numbers.details['column']], ['input-malformed', 'A'])
  const nested = await refusalOf(take(`select 's' as serial, 'x' as A, [1] as B, null::date as D`))
  t.same([nested.code, nested.details['column']], ['input-malformed', 'B'])
  const number = `select 's' as serial, 'x' as A, 8001011234567 as B, null::date as D`
  t.equal((await refusalOf(take(number))).code, 'identifier-in-payload')
})

test('holds codes against a list of any length, whatever signs are in it', async (t) => {
  const scratch = await openScratch(t)
  const signs = ['a.c', 'a|b', '(x)', '한', '$', '\\d', "'", '[z]', 'A*']
  const plain = (count: number) => Array.from({ length: count }, (_, at) => `k${at}`)
  for (const codes of [signs.slice(0, 7), [...signs, ...plain(9)], [...signs, ...plain(200)]]) {
    const table = tableOf({ A: { type: 'code', codes } }, 1)
    const wrong = ['abc', 'a', 'b', 'x', '1', 'z', 'AA', '', 'k', 'k1k2']
    const rows = [...codes, ...wrong].map((code) => `s,"${code}"`)
    const taken = await takeText(scratch, table, `serial,A\n${rows.join('\n')}\n`)
    t.same(taken, {
      rows: rows.length,
      taken: codes.length + 1, // The empty one is none at all.
      refusals: { 'A: not-in-list': { rows: wrong.length - 1, firstLine: codes.length + 2 } },
    })
  }
})

test('writes the same bytes with one thread as with two', async (t) => {
  const one = await openScratch(t, { threads: 1 })
  const two = await openScratch(t, { threads: 2 })
  const rows = Array.from({ length: 300_000 }, (_, row) => `s${row % 777},c${row % 99},${row}`)
  const digests = []
  for (const scratch of [one, two]) {
    await takeText(scratch, small, `serial,A,B\n${rows.join('\n')}\n`)
    const out = quoteText(scratch.path('out.parquet'))
    digests.push(await scratch.session.rows(`select md5(content) as m from read_blob(${out})`))
  }
  t.same(digests[0], digests[1])
})
