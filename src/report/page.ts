/**
 * The quality report as one HTML page that needs nothing else: no script, no font, no image, no address. What it says is the
 * report's, whose small counts are hidden already; it computes nothing new but percentages of what is told.
 */
import { type Check, checkRules, type QualityCounts } from '../core/quality-counts.ts'
import type { Change, QualityReport } from '../core/quality-report.ts'
import { changeTables } from './change-table.ts'
import { differenceCharts, differencesShown } from './difference-chart.ts'
import { documentOf } from './document.ts'
import { exclusionTables, keysTable } from './exclusions.ts'
import { flowCharts } from './flow-chart.ts'
import { escaped, type Html, sectionOf, tableOf } from './html.ts'
import { overlapCharts } from './overlap-chart.ts'
import { rateChart, rateTables } from './rate-chart.ts'
import { type Speech, speechOf } from './speech.ts'
import { type Language, methodNotes } from './words.ts'

/** The page in a language. */
export function qualityPage(report: QualityReport, language: Language): string {
  const speech = speechOf(report, language)
  const sections = [
    sectionOf(
      speech.say('flow'),
      speech.say('flowNote'),
      orNothing(flowCharts(report, speech), speech),
    ),
    ...(report.counts
      ? countSections(report.counts, speech)
      : [
          sectionOf(
            speech.say('spineRates'),
            speech.say(report.isTrial ? 'trialNote' : 'countsFollow'),
            [],
          ),
        ]),
    ...(report.change ? [changeSection(report.change, speech)] : []),
    sectionOf(speech.say('keys'), speech.say('keysNote', { version: report.recipe.version }), [
      keysTable(report, speech),
    ]),
    sectionOf(speech.say('excluded'), speech.say('excludedNote'), exclusionTables(report, speech)),
    methodsOf(speech),
  ]
  return documentOf({
    language,
    title: speech.say('title'),
    about: report.project.name,
    facts: factsOf(report, speech),
    note: speech.say('smallNote', { n: report.threshold }),
    sections,
  })
}

function changeSection(change: Change, speech: Speech): Html {
  const note = change.previous === null ? speech.say('firstLinkage') : speech.say('changeNote')
  return sectionOf(speech.say('change'), note, changeTables(change, speech))
}

function factsOf(report: QualityReport, speech: Speech): [string, string][] {
  const facts: [string, string][] = [
    [speech.say('project'), report.project.name],
    [speech.say(report.isTrial ? 'trial' : 'linkage'), report.linkage],
    ...(report.change?.previous ? [previousFact(report.change.previous, speech)] : []),
    [speech.say('rules'), report.rulesVersion],
    [speech.say('asked'), speech.time(report.createdAt)],
    [speech.say('ended'), speech.time(report.endedAt)],
    [
      speech.say('counted'),
      report.countedAt === null ? speech.say('notCounted') : speech.time(report.countedAt),
    ],
    [speech.say('persons'), report.persons === null ? '–' : speech.count(report.persons)],
    [speech.say('cases'), speech.few(report.cases)],
    ...Object.entries(report.hubs).map(([key, hubs]): [string, string] => [
      speech.say('hubsOf', { key }),
      speech.few(hubs),
    ]),
  ]
  return facts
}

function previousFact(id: string, speech: Speech): [string, string] {
  return [speech.say('previous'), id]
}

function countSections(counts: QualityCounts, speech: Speech): Html[] {
  const rates = (['spine', 'records'] as const).map((basis) => {
    const isSpine = basis === 'spine'
    const tables = counts.rates.filter((table) => table.basis === basis)
    const title = speech.say(isSpine ? 'spineRates' : 'recordRates')
    const note = speech.say(isSpine ? 'spineNote' : 'recordNote', { n: speech.threshold })
    const chart = rateChart(tables, { id: `rates-${basis}`, title, desc: note }, speech)
    return sectionOf(title, note, [...chart, ...rateTables(tables, title, speech)])
  })
  const overlap = orNothing(overlapCharts(counts, speech), speech)
  const differences = orNothing(differenceCharts(counts, speech), speech)
  return [
    ...rates,
    sectionOf(speech.say('overlap'), speech.say('overlapNote'), overlap),
    sectionOf(
      speech.say('differences'),
      speech.say('differenceNote', { m: differencesShown }),
      differences,
    ),
    sectionOf(speech.say('checks'), speech.say('checkNote'), [checkTable(counts, speech)]),
  ]
}

function checkTable({ checks }: QualityCounts, speech: Speech): Html {
  const heads = (['check', 'agency', 'pass', 'compared', 'flagged', 'share', 'wrong'] as const).map(
    (word) => speech.say(word),
  )
  const sorted = checkRules.flatMap((rule) => checks.filter((check) => check.rule === rule))
  const rows = sorted.map((check) => [
    speech.say(check.rule),
    speech.agency(check.agency),
    check.pass === null ? speech.say('total') : `${speech.say('pass')} ${check.pass}`,
    check.mask === 'few' ? `<${speech.threshold}` : speech.count(check.compared),
    flaggedText(check, speech),
    check.share === null ? '–' : `${speech.share(check.share)} (${speech.interval(check)})`,
    check.wrongAtMost === null ? '–' : speech.count(check.wrongAtMost),
  ])
  return tableOf(speech.say('checks'), heads, rows)
}

function flaggedText({ mask, flagged }: Check, { count, threshold }: Speech): string {
  return mask === 'few' || mask === 'few-linked' ? `<${threshold}` : count(flagged)
}

function orNothing(inside: Html[], speech: Speech): Html[] {
  return inside.length > 0 ? inside : [{ html: `<p>${escaped(speech.say('noNumbers'))}</p>` }]
}

function methodsOf(speech: Speech): Html {
  const notes = methodNotes.map((note) => escaped(note[speech.language === 'en' ? 0 : 1]))
  const items = notes.map((note) => `<li>${note}</li>`).join('\n')
  return { html: `<section><h2>${escaped(speech.say('methods'))}</h2><ul>${items}</ul></section>` }
}
