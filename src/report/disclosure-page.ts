/**
 * The disclosure report of a release as one HTML page that needs nothing else, like the quality report. What it says is the
 * document's, whose small counts are hidden already; it computes nothing new but shares of what is told.
 */
import type { ShownDisclosure } from '../core/shown-disclosure.ts'
import type { ToldDisclosure } from '../core/told-disclosure.ts'
import { classCharts } from './class-chart.ts'
import { type DisclosureSpeech, disclosureSpeechOf } from './disclosure-speech.ts'
import { documentOf } from './document.ts'
import { escaped, type Html, sectionOf, tableOf } from './html.ts'
import { utilityCharts } from './utility-chart.ts'
import type { Language } from './words.ts'

type Measured = NonNullable<ToldDisclosure['measured']>
type Measures = NonNullable<ShownDisclosure['measures']>

/** The page in a language. */
export function disclosurePage(report: ShownDisclosure, language: Language): string {
  const speech = disclosureSpeechOf(report, language)
  const { say } = speech
  const { measures, told, utility } = report
  const measured = told?.measured
  const unbuilt = report.state === 'failed' ? 'neverBuilt' : 'notBuilt'
  return documentOf({
    language,
    title: say('title'),
    about: `${report.project.name}, ${report.policy.name}`,
    facts: factsOf(report, speech),
    note: say('smallNote', { n: told?.threshold ?? 10 }),
    sections: [
      ...(measures && measured
        ? measuredSections(measures, measured, speech)
        : [sectionOf(say('classes'), say(told ? 'notMeasured' : unbuilt), [])]),
      sectionOf(say('differences'), say('differencesNote'), [differenceTable(told, speech)]),
      excludedSection(report, speech),
      sectionOf(
        say('utility'),
        say(utility ? 'utilityNote' : unbuilt),
        utility ? utilityCharts(utility, speech) : [],
      ),
    ],
  })
}

function factsOf(report: ShownDisclosure, { say, time }: DisclosureSpeech): [string, string][] {
  const { policy, measures } = report
  return [
    [say('release'), report.release],
    [say('project'), report.project.name],
    [say('state'), say(`state ${report.state}`)],
    [say('policy'), `${policy.name} ${policy.version} (SHA-256 ${policy.sha256.slice(0, 16)}…)`],
    [say('kind'), say(policy.type)],
    [say('dates'), say(policy.dates === 'shift' ? 'shift' : 'relative')],
    ...(measures
      ? ([
          [say('kAsked'), String(measures.k)],
          [say('missing'), say(measures.missing)],
        ] as [string, string][])
      : []),
    [say('recipient'), report.recipient],
    [say('purpose'), report.purpose],
    [say('place'), report.place],
    [say('until'), time(report.validUntil)],
    [say('built'), time(report.builtAt)],
  ]
}

function measuredSections(
  measures: Measures,
  measured: Measured,
  speech: DisclosureSpeech,
): Html[] {
  const { say } = speech
  const { sensitive, sets } = measured
  return [
    sectionOf(say('classes'), say('classesNote'), classCharts(measured, speech)),
    sectionOf(say('suppression'), say('suppressionNote'), [
      suppressionTable(measures, measured, speech),
    ]),
    ...(sensitive.length > 0
      ? [
          sectionOf(say('sensitive'), say('sensitiveNote'), [
            sensitiveTable(measures, measured, speech),
          ]),
        ]
      : []),
    ...(sets.length > 0
      ? [sectionOf(say('sets'), say('setsNote'), [setsTable(measured, speech)])]
      : []),
  ]
}

function suppressionTable(
  { quasiIdentifiers, recordsMaxShare, cellsMaxShare }: Measures,
  { suppressed, after }: Measured,
  speech: DisclosureSpeech,
): Html {
  const { say, count, share } = speech
  const rows = quasiIdentifiers.map(({ table, column, rule }) => {
    const emptied = suppressed?.cellsOf[`${table}.${column}`] ?? 0
    const of = after.records === 0 ? 0 : emptied / after.records
    return [speech.column({ table, column }), rule || '–', count(emptied), share(of)]
  })
  const limit = (max: number | null): string =>
    max === null ? '–' : say('atMost', { share: share(max) })
  const sums = suppressed
    ? [
        [
          say('allCells'),
          limit(cellsMaxShare),
          count(suppressed.cells),
          share(suppressed.cellsShare),
        ],
        [
          say('leftOutPersons'),
          limit(recordsMaxShare),
          count(suppressed.records),
          share(suppressed.recordsShare),
        ],
      ]
    : []
  const heads = (['column', 'rule', 'emptied', 'ofPersons'] as const).map((word) => say(word))
  return tableOf(say('suppression'), heads, [...rows, ...sums])
}

function sensitiveTable(
  { sensitive: bounds }: Measures,
  { sensitive }: Measured,
  speech: DisclosureSpeech,
): Html {
  const { say, number } = speech
  const rows = sensitive.flatMap(({ table, column, before, after }, index) => {
    const bound = bounds[index]
    const name = speech.column({ table, column })
    const text = (least: number | null | undefined, sign: string): string =>
      least === null || least === undefined ? '–' : `${sign} ${least}`
    return [
      [
        `${name}: ${say('distinctL')}`,
        String(before.distinctL),
        String(after.distinctL),
        text(bound?.distinctLMin, '≥'),
      ],
      [
        `${name}: ${say('entropyL')}`,
        number(before.entropyL, 3),
        number(after.entropyL, 3),
        text(bound?.entropyLMin, '≥'),
      ],
      [`${name}: ${say('t')}`, number(before.t, 4), number(after.t, 4), text(bound?.tMax, '≤')],
    ]
  })
  const heads = (['measure', 'before', 'after', 'bound'] as const).map((word) => say(word))
  return tableOf(say('sensitive'), heads, rows)
}

function setsTable({ sets }: Measured, speech: DisclosureSpeech): Html {
  const { say, count } = speech
  const rows = sets.flatMap(({ table, column, before, after }) =>
    (['before', 'after'] as const).map((when) => {
      const of = when === 'before' ? before : after
      return [
        `${speech.column({ table, column })}: ${say(when)}`,
        count(of.persons),
        ...[of.codes, of.rareCodes, of.rarePairs, of.smallest].map((value) => count(value)),
        count(of.personsWithRare),
      ]
    }),
  )
  const heads = (
    ['column', 'records', 'codes', 'rareCodes', 'rarePairs', 'fewest', 'withRare'] as const
  ).map((word) => say(word))
  return tableOf(say('sets'), heads, rows)
}

function differenceTable(told: ToldDisclosure | null, speech: DisclosureSpeech): Html {
  const { say, count } = speech
  const differences = told?.differences ?? []
  if (differences.length === 0) return { html: `<p>${escaped(say('noEarlier'))}</p>` }
  const rows = differences.map(({ release, onlyEarlier, onlyThis }) => [
    release,
    count(onlyEarlier),
    count(onlyThis),
  ])
  const heads = (['earlier', 'onlyEarlier', 'onlyThis'] as const).map((word) => say(word))
  return tableOf(say('differences'), heads, rows)
}

function excludedSection({ sensitiveClasses }: ShownDisclosure, speech: DisclosureSpeech): Html {
  const { say } = speech
  const { version, status, leftOut, included } = sensitiveClasses
  const rows = [
    ...leftOut.map((name) => [speech.table(name), say('leftOut')]),
    ...included.map(({ class: name, decision, decidedOn }) => [
      speech.table(name),
      say('included', { decision, day: decidedOn }),
    ]),
  ]
  const table = tableOf(say('excluded'), [say('class'), say('treatment')], rows)
  return sectionOf(
    say('excluded'),
    say('excludedNote', { version, status: status[speech.language] }),
    [table],
  )
}
