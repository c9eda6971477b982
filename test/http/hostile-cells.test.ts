import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import iconv from 'iconv-lite'
import { test } from 'tap'
import { quoteText } from '../../src/engine/session.ts'
import { openScratch } from '../engine/scratch.ts'
import { csvPart, deliver, expect, makeCohort, takeRelease } from '../support/exchange.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { keysPart, startHttpStage, tableHeader, tablePart } from './stage.ts'

/** What somebody would write into a text field to make a reader's program do something. */
const hostile = [
  "=cmd|'/c calc'!A1",
  '+1+1',
  '-2+3',
  '@SUM(1)',
  '＝1+1',
  '\t=1',
  '"quoted" and, a comma',
  'two\nlines',
  '\n=1',
  "'; drop table gyeol.release; --",
  '" or 1=1',
  '../../etc/passwd',
  '..\\..\\windows',
  '\u001b[31mred\u001b[0m\u0007',
  '$HOME `id` $(id)',
  '<script>alert(1)</script>',
  '{{7*7}}',
  '%s%n',
  '한글 텍스트',
]
const codes = ['=1', '+1', '-1', '@x', "';--", '../x', '"', '<b>']
const people = hostile.length

const policyOf = (formats: string[], csvEncoding: string) => ({
  name: 'cells',
  version: '1',
  type: 'A',
  dates: 'relative',
  formats,
  csvEncoding,
  tables: { cases: { columns: { code: { rule: 'keep' }, note: { rule: 'keep' } } } },
})

const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`
const begins = /^[=+\-@＝＋－＠\t\r\n]/

test('cells that would do something', async (t) => {
  const { service, operator, spine, other } = await startHttpStage(t)
  const lines = hostile.map((note, row) => {
    return `s1-${row},${cell(codes[row % codes.length] ?? '')},20200101,1,${cell(note)}`
  })
  for (const [agency, parts] of [
    [spine, [keysPart(people), csvPart('cases', 1, [tableHeader, ...lines])]],
    [other, [keysPart(people), tablePart('visits', people)]],
  ] as const) {
    const { job } = await deliver(agency, 'hostile', parts)
    t.match((await service.jobEnd(operator, job)).body.result, { delivery: 'taken' })
  }
  const { cohort } = await makeCohort(service, operator, 'hostile')
  const everybody = await reviewersOf(service, operator)
  const { session, dir } = await openScratch(t)
  type Row = { code: string; note: string }
  const rowsOf = async (bytes: Buffer | undefined, name: string, from: string): Promise<Row[]> => {
    const path = join(dir, name)
    writeFileSync(path, bytes ?? '')
    return await session.rows<Row>(
      `select code, note from ${from.replace('?', quoteText(path))} order by note, code`,
    )
  }
  const csv = `read_csv(?, header = true, all_varchar = true, delim = ',', quote = '"', escape = '"',
    new_line = '\\n', auto_detect = false, columns = {pseudonym: 'varchar', code: 'varchar', note: 'varchar'})`
  const fileOf = (files: ReadonlyMap<string, Buffer>, end: string): Buffer | undefined =>
    [...files].find(([name]) => name.startsWith('data/cases/') && name.endsWith(end))?.[1]
  const sent = hostile.map((note, row) => ({ code: codes[row % codes.length] ?? '', note }))
  const shown = (text: string): string => (begins.test(text) ? `'${text}` : text)
  const sorted = (rows: Row[]): string[] => rows.map((row) => JSON.stringify(row)).sort()

  const utf8 = await takeRelease(service, everybody, {
    cohort,
    policy: policyOf(['parquet', 'csv'], 'utf-8'),
  })

  await t.test('leave as they came in Parquet', async (t) => {
    const rows = await rowsOf(fileOf(utf8, '.parquet'), 'cases.parquet', 'read_parquet(?)')
    t.same(sorted(rows), sorted(sent))
  })

  await t.test(
    'leave as text in CSV: nothing begins as a formula, nothing else is touched',
    async (t) => {
      const rows = await rowsOf(fileOf(utf8, '.csv'), 'cases.csv', csv)
      const expected = sent.map(({ code, note }) => ({ code: shown(code), note: shown(note) }))
      t.same(sorted(rows), sorted(expected))
      t.ok(rows.every((row) => !begins.test(row.code) && !begins.test(row.note)))
    },
  )

  await t.test('are flagged where they were escaped, and only there', async (t) => {
    const escaped = sent.flatMap((row) => [row.code, row.note]).filter((text) => begins.test(text))
    const { resources } = JSON.parse(utf8.get('datapackage.json')?.toString() ?? '')
    const flags = resources.map((each: Record<string, unknown>) => each['x-escaped-cells'])
    t.same(flags, [undefined, undefined, undefined, escaped.length], 'persons twice, Parquet, CSV')
    const { tables } = JSON.parse(utf8.get('utility-report.json')?.toString() ?? '')
    t.equal(tables.cases.rows.escapedCells, escaped.length)
  })

  await t.test('leave the same in CP949', async (t) => {
    const files = await takeRelease(service, everybody, {
      cohort,
      policy: policyOf(['csv'], 'cp949'),
    })
    const bytes = fileOf(files, '.csv') ?? Buffer.alloc(0)
    t.ok(bytes.includes(iconv.encode('한글 텍스트', 'cp949')))
    const rows = await rowsOf(Buffer.from(iconv.decode(bytes, 'cp949')), 'cp949.csv', csv)
    const expected = sent.map(({ code, note }) => ({ code: shown(code), note: shown(note) }))
    t.same(sorted(rows), sorted(expected))
  })

  await t.test('are as inert in what people write about a release', async (t) => {
    const validUntil = new Date(Date.now() + 86_400_000).toISOString()
    const text = hostile.join(' ')
    const terms = { recipient: 'recipient', purpose: text, place: '../../x', validUntil }
    const policy = policyOf(['csv'], 'utf-8')
    const asked = await operator.post(`/v1/cohorts/${cohort}/releases`, { policy, ...terms })
    const { release, job } = expect(asked, 202).body
    t.equal((await service.jobEnd(operator, job)).body.state, 'done')
    const path = `/v1/releases/${release}`
    t.match((await operator.get(path)).body, { purpose: text, place: '../../x', state: 'built' })
    const page = (await everybody.head.get(`${path}/report`)).bytes.toString()
    t.notMatch(page, '<script>')
    t.match(page, '&lt;script&gt;alert(1)&lt;/script&gt;')
    const { rows } = await service.database.pool('admin', 1).query('select from gyeol.release')
    t.equal(rows.length, 3, 'no table is gone')
  })
})
