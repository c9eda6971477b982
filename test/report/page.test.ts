import fc from 'fast-check'
import { test } from 'tap'
import { type LinkageCounts, toldReport } from '../../src/core/linkage-report.ts'
import { maskQuality } from '../../src/core/mask-quality.ts'
import { changeOf, flowOf, toldTables, wavesOf } from '../../src/core/quality-flow.ts'
import type { RawQuality, RawTable } from '../../src/core/quality-raw.ts'
import { type QualityReport, qualityReportSchema } from '../../src/core/quality-report.ts'
import { qualityPage } from '../../src/report/page.ts'
import { inPercent } from '../../src/report/speech.ts'

const id = '0f7c1c9e-3f5e-4f0e-9d3a-5b8f2d1c7a10'
const agencies = ['claims', 'deaths', 'insurer']
const threshold = 10

/** A report of so many persons, of whom each agency knows about so many in a hundred. */
function reportOf(persons: number, known: number): QualityReport {
  const years = ['2018', '2019', '2020']
  const rates = agencies.flatMap((agency, number) =>
    (['records', 'spine'] as const).flatMap((basis): RawTable[] => {
      const cells = years.map((year, at) => {
        const delivered = Math.round((persons * (at + 1)) / 6)
        const linked = Math.round((delivered * (known + number)) / 103)
        return { levels: [year], delivered, linked }
      })
      const whole = {
        levels: [],
        delivered: cells.reduce((sum, cell) => sum + cell.delivered, 0),
        linked: cells.reduce((sum, cell) => sum + cell.linked, 0),
      }
      return [
        { basis, agency, by: [], cells: [whole] },
        { basis, agency, by: ['year'], cells },
      ]
    }),
  )
  const some = Math.round((persons * known) / 100)
  const raw: RawQuality = {
    spine: 'registry',
    persons,
    agencies,
    rates,
    births: [],
    checks: [
      {
        rule: 'sex-differs',
        agency: 'insurer',
        pass: '1',
        compared: some,
        flagged: 4 % (some + 1),
      },
      { rule: 'sex-differs', agency: 'insurer', pass: '2', compared: persons - some, flagged: 0 },
    ],
    overlap: [
      { agencies: ['insurer'], persons: some },
      { agencies: [], persons: persons - some },
    ],
    chanceOfDifference: { sex: 0.5, birthYear: 0.98 },
  }
  const told = toldReport(linkageOf(persons, some), threshold)
  return qualityReportSchema.parse({
    format: 'gyeol-quality-1',
    linkage: id,
    isTrial: false,
    project: { id, name: 'page' },
    rulesVersion: 'gyeol-passes-1',
    createdAt: '2026-03-01T15:30:00.000Z',
    endedAt: '2026-03-01T15:31:00.000Z',
    threshold,
    persons,
    titles: {
      insurer: { en: '<Insurer> & "Co"', ko: '공단' },
      'tables.statement': { en: 'Statements', ko: '명세서' },
    },
    regions: {},
    hubs: told.hubs,
    cases: told.cases,
    recipe: { version: 'gyeol-1', keyTypes: { K1: ['registrationNumber'], K4: ['sex'] } },
    notices: told.notices,
    flow: flowOf(told, 'registry', [{ agency: 'insurer', keyType: 'K1', keys: 12 }]),
    waves: wavesOf(told, 'registry'),
    change: changeOf(told, { linkage: id, told }),
    tables: toldTables(
      [{ table: 'statement', kept: some * 3, outside: persons, unknown: 4 }],
      threshold,
    ),
    cohort: id,
    countedAt: '2026-03-01T15:40:00.000Z',
    counts: maskQuality(raw, threshold),
  })
}

/** What the key side counts of the spine and an insurer. */
function linkageOf(persons: number, some: number): LinkageCounts {
  const flow = {
    founded: 0,
    perfect: 0,
    match: 0,
    possible: 0,
    conflict: 0,
    quarantined: 0,
    none: 0,
  }
  const agency = (
    own: Partial<typeof flow>,
    linkedByPass: Record<string, number>,
  ): LinkageCounts['agencies'][string] => {
    const all = { ...flow, ...own }
    const serials = Object.values(all).reduce((sum, count) => sum + count, 0)
    const linked = Object.values(linkedByPass).reduce((sum, count) => sum + count, 0)
    const withKey = { K1: serials - 2, K4: serials }
    const sent = { serials, valid: serials, withK1: serials - 2, withKey }
    return { ...all, ...sent, linked, linkedByPass, duplicates: 3 }
  }
  const insurer = { perfect: some, match: 7, conflict: 3, none: persons }
  const half = Math.round(some / 2)
  const waves = [
    agency({ perfect: half, match: 7, none: persons - 5 }, { 1: half, 6: 7 }),
    agency({ perfect: some - half, conflict: 3, none: 5 }, { 1: some - half }),
  ]
  return {
    rulesVersion: 'test',
    persons,
    hubs: 3,
    hubsByKey: { K1: 3 },
    notices: { used: 0, setAside: 0 },
    agencies: {
      insurer: agency(insurer, { 1: some, 6: 7 }),
      registry: agency({ founded: persons }, { 9: persons }),
    },
    deliveries: [
      ...waves.map((counts, at) => ({ agency: 'insurer', wave: at + 1, ...counts })),
      { agency: 'registry', wave: 1, ...agency({ founded: persons }, { 9: persons }) },
    ],
    spinePairs: { possible: 0, match: 0 },
    cases: 4,
    clusters: {},
    change: {
      version: 1,
      founded: persons,
      kept: 0,
      merged: 0,
      split: 0,
      attached: 0,
      detached: 0,
      moved: 0,
      expired: 0,
      waiting: 0,
      held: 0,
      torn: 0,
      cases: { possible: 4, conflict: 0, merge: 0, doubted: 0 },
    },
  }
}

/** The texts of the cells of all tables. */
function cellsOf(html: string): string[] {
  return [...html.matchAll(/<td[^>]*>(.*?)<\/td>/g)].flatMap(([, cell = '']) => cell.split('<br>'))
}

test('no cell below the threshold is on the page, and every table cell is a number or says why not', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 400 }), fc.nat(100), (persons, known) => {
      const html = qualityPage(reportOf(persons, known), 'en')
      return cellsOf(html).every((cell) => {
        const plain = cell.replaceAll('&lt;', '<').replaceAll('&gt;', '>')
        // Counts stand alone or as "linked / delivered"; shares end with % or an interval.
        if (plain.startsWith('Pass ')) return true
        if (plain.includes('%') || /^-?\d+\.\d+$/.test(plain)) return true
        return plain.split(' / ').every((count) => {
          if (['*', '–', '<10', '0'].includes(count)) return true
          const value = Number(count.replaceAll(',', '').replace(/^>/, ''))
          return Number.isNaN(value) || value >= threshold
        })
      })
    }),
    { numRuns: 40 },
  )
  t.end()
})

for (const persons of [200, 2_000_000]) {
  test(`the page of ${persons} persons needs nothing from elsewhere and is well formed`, (t) => {
    for (const language of ['en', 'ko'] as const) {
      const html = qualityPage(reportOf(persons, 80), language)
      t.notMatch(html, /https?:|\/\/|url\(|@import|<script|<img|<link|<iframe|\son\w+=|href=|src=/)
      t.notMatch(html, /<Insurer>/, 'values are escaped')
      t.match(html, 'KST', 'times say where they hold')
      t.match(html, '2026-03-02 00:30:00 KST', 'and are those of Seoul')
      const charts = [...html.matchAll(/<svg[\s\S]*?<\/svg>/g)].map(([svg]) => svg)
      t.ok(charts.length >= 3, 'there are charts')
      for (const svg of charts) {
        t.same(faultsOf(svg), [], 'an SVG is well formed')
        const [, one, other] = /aria-labelledby="(\S+) (\S+)"/.exec(svg) ?? []
        t.match(svg, `<title id="${one}">`)
        t.match(svg, `<desc id="${other}">`)
        t.notMatch(svg, /NaN|undefined|Infinity/)
      }
      const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map(([, name]) => name)
      t.equal(new Set(ids).size, ids.length, 'an id is used once')
      t.notMatch(html, /<th>/, 'every heading says what it heads')
      t.match(html, language === 'ko' ? '<html lang="ko">' : '<html lang="en">')
    }
    t.end()
  })
}

test('both languages tell the same numbers', (t) => {
  const report = reportOf(2_000, 70)
  t.same(
    cellsOf(qualityPage(report, 'ko')).filter(isNumber),
    cellsOf(qualityPage(report, 'en')).filter(isNumber),
  )
  t.match(qualityPage(report, 'ko'), '결합 품질 보고서')
  t.match(qualityPage(report, 'ko'), '공단')
  t.end()
})

test('of millions a share is told as exactly as it is known', (t) => {
  const told = [0, 0.0000038, 0.000499, 0.0005, 0.5, 0.99996, 1].map(inPercent)
  t.same(told, ['0.0', '0.0004', '0.05', '0.1', '50.0', '99.996', '100.0'])
  t.end()
})

test('the page tells waves, change, keys and what was left out', (t) => {
  const html = qualityPage(reportOf(2_000, 70), 'en')
  for (const text of [
    'Wave by wave: &lt;Insurer&gt; &amp; &quot;Co&quot;',
    'registry (wave\u00a01)',
    'Change against the linkage before',
    'Persons founded</th><td>2,000',
    'Link rate now',
    '+0.00 %',
    'K1</th><td class="words">Registration number',
    'Notices set aside',
    'Statements</th><td>6,204',
  ])
    t.match(html, text)
  const first = { ...reportOf(2_000, 70) }
  const change = first.change && { ...first.change, previous: null }
  const page = qualityPage({ ...first, change }, 'ko')
  t.match(page, '첫 결합이므로')
  t.match(page, '명세서</th><td>6,204')
  t.match(page, 'K1</th><td class="words">주민·외국인등록번호')
  t.notMatch(page, '현재 결합률', 'a first linkage has nothing to be held against')
  t.end()
})

test('a chart has no panel for an agency of which no year can be told', (t) => {
  const report = reportOf(6_000, 80)
  const charts = (of: QualityReport): string =>
    [...qualityPage(of, 'en').matchAll(/<svg[\s\S]*?<\/svg>/g)].map(([svg]) => svg).join('')
  const named = (of: QualityReport): number => charts(of).split('>claims<').length
  const rates = report.counts?.rates.map((table) => {
    if (table.agency !== 'claims' || table.by[0] !== 'year') return table
    const hidden = { delivered: null, linked: null, mask: 'withheld' as const }
    const cells = table.cells.map((cell, at) =>
      at === 0
        ? { ...cell, levels: ['unknown'] }
        : { ...cell, ...hidden, rate: null, low: null, high: null },
    )
    return { ...table, cells }
  })
  const counts = report.counts && rates ? { ...report.counts, rates } : undefined
  t.ok(counts)
  const without: QualityReport = { ...report, ...(counts && { counts }) }
  t.equal(named(report) - named(without), 2, 'of the records and of the spine')
  t.end()
})

test('before the data side has counted, the page says so', (t) => {
  const report = { ...reportOf(500, 60), cohort: null, countedAt: null, counts: null }
  t.match(qualityPage(report, 'en'), 'The data side has not counted yet')
  t.match(qualityPage(report, 'ko'), '아직 집계 전입니다')
  t.end()
})

function isNumber(cell: string): boolean {
  return /^[\d&]/.test(cell) && /\d/.test(cell)
}

/** Tags that do not close, attributes without quotes, bare ampersands: a small reader of XML. */
function faultsOf(xml: string): string[] {
  const faults: string[] = []
  const open: string[] = []
  for (const [tag, end, name = '', attributes = '', alone] of xml.matchAll(
    /<(\/?)([A-Za-z]\w*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g,
  )) {
    if (attributes.includes('<')) faults.push(tag)
    if (end === '/') {
      if (open.pop() !== name) faults.push(tag)
    } else if (alone !== '/') open.push(name)
  }
  const rest = xml.replace(/<(\/?)([A-Za-z]\w*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g, '')
  if (/[<>]/.test(rest)) faults.push('a bare bracket')
  if (/&(?!(?:amp|lt|gt|quot|#\d+);)/.test(xml)) faults.push('a bare ampersand')
  return [...faults, ...open]
}
