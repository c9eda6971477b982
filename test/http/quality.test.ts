import { test } from 'tap'
import { qualityReportSchema } from '../../src/core/quality-report.ts'
import {
  csvPart,
  deliver,
  expect,
  makeCohort,
  openTestProject,
  testKey,
} from '../support/exchange.ts'
import { startTestService } from '../support/service.ts'
import { until } from '../support/until.ts'

const title = { en: 'Title <b>', ko: '제목' }
const spinePersons = 120

/** Everyone is in the spine up to `spinePersons`; the insurer has some of them and others. */
const insured = Array.from({ length: 150 }, (_, at) => at + 20).filter((at) => at % 13 !== 0)

const catalogue = {
  name: 'quality',
  version: '1',
  tables: {
    cases: {
      agency: 'spine',
      title,
      columns: {
        sex: { type: 'code', role: 'sex', title },
        born: { type: 'year-month', role: 'birth-year-month', title },
        found: { type: 'date', role: 'diagnosis-date', title },
        site: { type: 'code', role: 'cancer-site', title },
      },
    },
    insured: {
      agency: 'insurer',
      title,
      columns: {
        year: { type: 'integer', role: 'year', title },
        sex: { type: 'code', role: 'sex', title },
        born: { type: 'integer', role: 'birth-year', title },
      },
    },
  },
}

test('the quality of a linkage, from the tables to the page', async (t) => {
  const service = await startTestService(t)
  const operator = await service.person('one', ['operator', 'custodian'])
  const two = await service.person('two', ['custodian'])
  const reviewer = await service.person('reviewer', ['reviewer'])
  const recipient = await service.person('recipient', ['recipient'])
  const spine = await service.agency('spine')
  const insurer = await service.agency('insurer')
  await openTestProject([operator, two], {
    name: 'quality',
    recipe: { version: 'gyeol-1', fields: { number: 'identifier' }, keyTypes: { K1: ['number'] } },
    catalogue,
    agencies: [
      { agency: 'spine', isSpine: true, keyTypes: ['K1'] },
      { agency: 'insurer', keyTypes: ['K1'] },
    ],
  })
  const persons = Array.from({ length: spinePersons }, (_, at) => at)
  const sexOf = (at: number): number => 1 + (at % 2)
  const deliveries = [
    await deliver(spine, 'quality', [
      csvPart('', 1, ['serial,K1', ...persons.map((at) => `s${at},${testKey(String(at))}`)]),
      csvPart('cases', 1, [
        'serial,sex,born,found,site',
        ...persons.map(
          (at) => `s${at},${sexOf(at)},195${at % 10}03,201${at % 3}0405,C16.${at % 9}`,
        ),
      ]),
    ]),
    await deliver(insurer, 'quality', [
      csvPart('', 1, ['serial,K1', ...insured.map((at) => `i${at},${testKey(String(at))}`)]),
      csvPart('insured', 1, [
        'serial,year,sex,born',
        ...insured.map((at) => {
          const sex = at % 5 === 0 ? 3 - sexOf(at) : sexOf(at)
          return `i${at},2015,${sex},${at % 40 === 0 ? 1940 : 1950 + (at % 10)}`
        }),
      ]),
    ]),
  ]
  for (const { job } of deliveries) await service.jobEnd(operator, job)
  const { linkage, cohort } = await makeCohort(service, operator, 'quality')
  const path = `/v1/linkages/${linkage}`
  const report = await counted()
  const both = insured.filter((at) => at < spinePersons)

  function counted(): Promise<ReturnType<typeof qualityReportSchema.parse>> {
    return until(async () => {
      const { body } = expect(await reviewer.get(`${path}/quality`), 200)
      const parsed = qualityReportSchema.parse(body)
      return parsed.counts !== null && parsed
    }, 'the linkage is counted')
  }

  t.test('its numbers are the numbers of the linkage', async (t) => {
    const shown = expect(await operator.get(path), 200).body
    const map = shown.deliveries.find(
      ({ delivery }: { delivery: string }) => delivery === deliveries[1]?.delivery,
    )
    const whole = report.counts?.rates.find(({ basis, by }) => basis === 'records' && !by.length)
    t.match(whole?.cells, [{ delivered: map.serials, linked: map.linked, mask: 'none' }])
    t.match(map, { serials: insured.length, linked: both.length })
    t.equal(report.persons, spinePersons)
    t.equal(report.counts?.persons, spinePersons)
    t.equal(report.cohort, cohort)
    const flow = report.flow.find(({ agency }) => agency === 'insurer')
    t.match(flow, { delivered: insured.length, linked: both.length })
    t.equal(report.flow[0]?.agency, 'spine')
    t.same(flow?.setAside, { K1: 0 }, 'no key stood for nobody')
  })

  t.test('the data side counts what the tables say', async (t) => {
    const found = report.counts?.rates.find(
      ({ basis, by }) => basis === 'spine' && by.join(' ') === 'sex',
    )
    for (const [sex, name] of [
      [1, 'M'],
      [2, 'F'],
    ] as const) {
      const cell = found?.cells.find(({ levels }) => levels[0] === name)
      t.equal(cell?.delivered, persons.filter((at) => sexOf(at) === sex).length)
      t.equal(cell?.linked, both.filter((at) => sexOf(at) === sex).length)
    }
    const check = report.counts?.checks.find(({ rule, pass }) => rule === 'sex-differs' && !pass)
    t.match(check, { compared: both.length, flagged: both.filter((at) => at % 5 === 0).length })
    const births = report.counts?.checks.find(({ rule }) => rule === 'birth-year-differs')
    t.match(births, { flagged: null, mask: 'few-linked', share: null })
    t.same(report.counts?.overlap, [
      { agencies: ['insurer'], persons: both.length },
      { agencies: [], persons: spinePersons - both.length },
    ])
  })

  t.test('no count below the threshold is in it', async (t) => {
    const small: string[] = []
    const look = (value: unknown, place: string): void => {
      if (
        typeof value === 'number' &&
        /delivered|linked|flagged|compared|records|persons/.test(place)
      )
        if (Number.isInteger(value) && value > 0 && value < 10) small.push(place)
      if (typeof value !== 'object' || value === null) return
      for (const [name, inside] of Object.entries(value)) look(inside, `${place}/${name}`)
    }
    const { differences: _, ...counts } = report.counts ?? { differences: [] } // Shares, no counts.
    look({ ...report, counts }, '')
    t.same(small, [])
  })

  t.test('the page is whole, in both languages', async (t) => {
    for (const [lang, word] of [
      ['en', 'Quality of a linkage'],
      ['ko', '결합 품질 보고서'],
    ] as const) {
      const answer = expect(await reviewer.get(`${path}/report?lang=${lang}`), 200)
      const html = answer.bytes.toString()
      t.match(html, `<html lang="${lang}">`)
      t.match(html, word)
      t.notMatch(html, 'Title <b>', 'nothing is unescaped')
      t.match(html, '<svg', 'there are charts')
      t.equal(answer.headers['content-type'], 'text/html; charset=utf-8')
      t.match(answer.headers['content-security-policy'], "default-src 'none'")
    }
    t.equal(
      (await reviewer.get(`${path}/report`)).bytes.toString().slice(16, 32),
      '<html lang="ko">',
    )
    t.equal((await reviewer.get(`${path}/report?lang=fr`)).status, 400)
  })

  t.test('the table has every number of it, and no other', async (t) => {
    const answer = expect(await reviewer.get(`${path}/quality-table`), 200)
    t.equal(answer.headers['content-type'], 'text/csv; charset=utf-8')
    const [header, ...lines] = answer.bytes.toString().slice(1).trimEnd().split('\r\n')
    t.equal(header, 'section,agency,wave,by,level,measure,value,mask')
    for (const line of [
      `linkage,,,,,persons,${spinePersons},none`,
      `flow,insurer,,,,delivered,${insured.length},none`,
      `wave,insurer,1,linked-by-pass,,2,${both.length},none`,
      `rows,,,table,insured,outside,${insured.length - both.length},none`,
      `rate of records,insurer,,,,linked,${both.length},none`,
      'implausible,insurer,,birth-year-differs,,flagged,,few-linked',
    ])
      t.ok(lines.includes(line), line)
    const counts = lines.filter((line) => !/,(now|rate|low|high|share),[^,]*,[^,]*$/.test(line))
    t.same(
      counts.filter((line) => /,[1-9],[^,]*$/.test(line)),
      [],
      'no count is small',
    )
  })

  t.test('a second linkage tells wave by wave and what it changed', async (t) => {
    const more = Array.from({ length: 60 }, (_, at) => at + 400)
    const joined = [...more.slice(0, 30), ...persons.slice(0, 15)]
    const waves = [
      await deliver(
        spine,
        'quality',
        [csvPart('', 1, ['serial,K1', ...more.map((at) => `s${at},${testKey(String(at))}`)])],
        2,
      ),
      await deliver(
        insurer,
        'quality',
        [csvPart('', 1, ['serial,K1', ...joined.map((at) => `i${at},${testKey(String(at))}`)])],
        2,
      ),
    ]
    for (const { job } of waves) await service.jobEnd(operator, job)
    const asked = expect(await operator.post('/v1/projects/quality/linkages'), 202).body
    await service.jobEnd(operator, asked.job)
    const { body } = expect(await reviewer.get(`/v1/linkages/${asked.linkage}/quality`), 200)
    const next = qualityReportSchema.parse(body)
    t.match(
      next.waves.map(({ agency, wave, delivered, valid, linked, distinct }) => ({
        ...{ agency, wave, delivered, valid, linked, distinct },
      })),
      [
        { agency: 'spine', wave: 1, delivered: 120, linked: 120 },
        { agency: 'spine', wave: 2, delivered: 60, linked: 60 },
        { agency: 'insurer', wave: 1, delivered: insured.length, linked: both.length },
        { agency: 'insurer', wave: 2, delivered: 45, valid: 45, linked: 45, distinct: 45 },
      ],
    )
    const insurerNow = (both.length + 45) / (insured.length + 45)
    const was = both.length / insured.length
    t.match(next.change, {
      previous: linkage,
      founded: 60,
      kept: 120,
      merged: 0,
      split: 0,
      attached: 45,
      detached: 0,
      moved: 0,
    })
    const drift = next.change?.rates.find(({ agency }) => agency === 'insurer')?.drift
    t.ok(Math.abs((drift ?? 0) - (insurerNow - was)) < 0.0002, `${drift}`)
    t.equal(report.change?.previous, null, 'the first has nothing before it')
    const page = await reviewer.get(`/v1/linkages/${asked.linkage}/report?lang=en`)
    t.match(page.bytes.toString(), 'Wave by wave: insurer')
  })

  t.test('who may not see a linkage may not see its quality', async (t) => {
    for (const way of ['quality', 'quality-table', 'report']) {
      for (const caller of [recipient, insurer]) {
        const answer = await caller.get(`${path}/${way}`)
        t.equal(answer.status, 403)
      }
      t.equal((await reviewer.get(`/v1/linkages/${cohort}/${way}`)).status, 404)
    }
  })
})
