/**
 * A whole population held against the truth: generated with all its dirt, prepared by the agencies' tools, taken in, linked
 * and counted; then every link is compared with who is who, and the report's own estimates with what they estimate.
 */
import { createSecretKey } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { LinkageCounts } from '../../src/core/linkage-report.ts'
import { macColumn } from '../../src/core/mac.ts'
import { maskQuality } from '../../src/core/mask-quality.ts'
import { linkRulesSchema } from '../../src/core/passes.ts'
import type { QualityCounts } from '../../src/core/quality-counts.ts'
import { countQuality } from '../../src/engine/count-quality.ts'
import { type Linked, linkPersons } from '../../src/engine/link.ts'
import { openSession, type Session } from '../../src/engine/session.ts'
import { generatePopulation } from '../../src/population/generate.ts'
import type { DirtRates } from '../../src/population/settings.ts'
import { type Judgement, judgeLinkage } from '../../src/population/truth.ts'
import {
  countedInTruth,
  type Links,
  linksByOutcome,
  loadTruth,
  type Planted,
  plantedAndFound,
  trulyMissed,
} from './planted.ts'
import { type Taken, takePopulation } from './taken-population.ts'

export type ToHold = {
  persons: number
  seed: number
  /** An empty directory for everything. The caller removes it. */
  dir: string
  dirt?: Partial<DirtRates>
  tell: (line: string) => void
}

export type Held = {
  report: LinkageCounts
  counts: QualityCounts
  /** What is not as it should be; empty if every promise is kept. */
  broken: string[]
  /** Share of right links by outcome, of all agencies but the spine. */
  precision: Record<string, number>
  links: Record<string, Record<string, Links>>
  /** Share of the linkable records (`judgeLinkage`) that are linked right, by agency and over all but the spine. */
  recall: Record<string, number>
  judged: Record<string, Judgement>
  planted: Record<string, Planted>
  counted: { name: string; planted: number; found: number }[]
  estimates: Estimate[]
}

/** What the report lets a reader expect of one agency, and what is true. */
export type Estimate = {
  agency: string
  /** Wrong links: at most so many by records whose sex or birth year differs; null where no table has either. */
  wrongAtMost: { sex: number | null; birthYear: number | null }
  wrong: number
  /** Unlinked records that the report calls possible or in conflict. */
  possible: number
  conflict: number
  /** Records of persons of the spine that are not linked to them. */
  missed: number
  missedShare: number
  /** Share of the spine's persons that the report finds at the agency, and that the agency knows. */
  foundShare: number | null
  knownShare: number
}

const memoryMiB = 2_500
const recallMin = 0.995
const statementsPerPerson = 2

/** Does it all. */
export async function holdAgainstTruth(toHold: ToHold): Promise<Held> {
  const { dir, persons, seed, tell } = toHold
  const populationDir = join(dir, 'population')
  tell(`a population of ${persons}`)
  const { dirt } = toHold
  const of = { persons, seed, outDir: populationDir, statementsPerPerson }
  await generatePopulation({ ...of, ...(dirt && { dirt }) })
  const workDir = join(dir, 'deliveries')
  await mkdir(workDir)
  const within = <T>(act: (session: Session) => Promise<T>): Promise<T> => withSession(dir, act)
  const taken = await within((session) => takePopulation(session, { populationDir, workDir }, tell))
  tell('linking')
  const linked = await within((session) => link(session, taken, workDir))
  tell('counting')
  const counts = await within((session) => countAll(session, taken, linked))
  tell('comparing')
  const judged = await judge(populationDir, join(dir, 'judge'), { taken, linked })
  return within(async (session) => {
    await loadTruth(session, populationDir, { taken, linked })
    return heldOf(session, { report: linked.report, counts, judged })
  })
}

async function withSession<T>(dir: string, act: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession({ scratchDir: dir, memoryMiB, threads: 2 })
  try {
    return await act(session)
  } finally {
    session.close()
  }
}

async function link(session: Session, deliveries: readonly Taken[], dir: string): Promise<Linked> {
  const personKey = createSecretKey(Buffer.alloc(32, 9))
  const outDir = join(dir, 'linked')
  await mkdir(outDir)
  return linkPersons(session, {
    deliveries,
    rules: linkRulesSchema.parse({}),
    personsOf: (tokens) => macColumn('cmac-aes-256', personKey, tokens, 16),
    outDir,
  })
}

async function countAll(
  session: Session,
  taken: readonly Taken[],
  { maps }: Linked,
): Promise<QualityCounts> {
  const opened = (path: string) => async () => ({ path, letGo: async () => {} })
  const sources = taken.map(({ agency, isSpine, typed }) => ({
    agency,
    isSpine,
    deliveries: [
      {
        openMap: opened(maps[agency]?.file ?? ''),
        parts: typed.map(({ table, path }) => ({ table, open: opened(path) })),
      },
    ],
  }))
  const raw = await countQuality(session, sources, { onPart: () => {} })
  return maskQuality(raw, linkRulesSchema.parse({}).cellMin)
}

async function judge(
  populationDir: string,
  scratchDir: string,
  { taken, linked }: { taken: readonly Taken[]; linked: Linked },
): Promise<Record<string, Judgement>> {
  const serials = Object.fromEntries(taken.map((one) => [one.agency, one.serials]))
  const maps = Object.fromEntries(
    Object.entries(linked.maps).map(([agency, { file }]) => [agency, file]),
  )
  return judgeLinkage({ populationDir, scratchDir, serials, maps, hasNotices: true })
}

async function heldOf(
  session: Session,
  { report, counts, judged }: Pick<Held, 'report' | 'counts' | 'judged'>,
): Promise<Held> {
  const links = await linksByOutcome(session)
  const planted = await plantedAndFound(session)
  const inTruth = await countedInTruth(session)
  const missed = await trulyMissed(session)
  const others = Object.entries(judged).filter(([agency]) => agency !== 'ncc')
  const sum = (of: (one: Judgement) => number): number =>
    others.reduce((all, [, one]) => all + of(one), 0)
  const recall = Object.fromEntries(
    Object.entries(judged).map(([agency, one]) => [agency, 1 - one.missed / one.linkable]),
  )
  recall['all'] = 1 - sum((one) => one.missed) / sum((one) => one.linkable)
  const precision = Object.fromEntries(
    ['perfect', 'match'].map((outcome) => {
      const of = Object.values(links).flatMap((byOutcome) => byOutcome[outcome] ?? [])
      const [all, wrong] = [of.map((one) => one.linked), of.map((one) => one.wrong)].map(
        (counted) => counted.reduce((total, count) => total + count, 0),
      )
      return [outcome, 1 - (wrong ?? 0) / (all ?? 1)]
    }),
  )
  const counted = [
    { name: 'hubs of K1', planted: inTruth.hubs, found: report.hubsByKey['K1'] ?? 0 },
    { name: 'notices', planted: inTruth.notices, found: report.notices.used },
    ...Object.entries(inTruth.duplicates).map(([agency, count]) => ({
      name: `second serials of ${agency}`,
      planted: count,
      found: report.agencies[agency]?.duplicates ?? 0,
    })),
  ]
  const estimates = Object.entries(missed).map(([agency, truth]) =>
    estimateOf(agency, truth, { report, counts, judged }),
  )
  const held = { report, counts, precision, links, recall, judged, planted, counted, estimates }
  return { ...held, broken: brokenOf({ ...held, founded: links['ncc']?.['founded'] }) }
}

function estimateOf(
  agency: string,
  truth: { ofSpinePersons: number; missed: number; spinePersonsKnown: number },
  { report, counts, judged }: Pick<Held, 'report' | 'counts' | 'judged'>,
): Estimate {
  const atMost = (rule: string): number | null =>
    counts.checks.find((check) => check.agency === agency && check.rule === rule && !check.pass)
      ?.wrongAtMost ?? null
  const found = counts.rates.find(
    ({ basis, agency: of, by }) => basis === 'spine' && of === agency && by.length === 0,
  )
  return {
    agency,
    wrongAtMost: { sex: atMost('sex-differs'), birthYear: atMost('birth-year-differs') },
    wrong: judged[agency]?.wrong ?? 0,
    possible: report.agencies[agency]?.possible ?? 0,
    conflict: report.agencies[agency]?.conflict ?? 0,
    missed: truth.missed,
    missedShare: truth.missed / truth.ofSpinePersons,
    foundShare: found?.cells[0]?.rate ?? null,
    knownShare: truth.spinePersonsKnown / report.persons,
  }
}

function brokenOf(held: Omit<Held, 'broken'> & { founded: Links | undefined }): string[] {
  const broken: string[] = []
  for (const [outcome, share] of Object.entries(held.precision)) {
    if (share < 1) broken.push(`precision of ${outcome}`)
  }
  if (held.founded?.wrong !== 0) broken.push('persons of the spine put together')
  for (const [agency, share] of Object.entries(held.recall)) {
    if (!(share >= recallMin)) broken.push(`recall of ${agency}`)
  }
  for (const [kind, { planted, found, wrong }] of Object.entries(held.planted)) {
    if (found < planted) broken.push(`${kind}: not all are found`)
    if (wrong > 0) broken.push(`${kind}: linked wrong`)
  }
  for (const { name, planted, found } of held.counted) {
    if (planted !== found) broken.push(`${name}: not counted as planted`)
  }
  return broken
}
