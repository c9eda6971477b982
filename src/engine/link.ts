/**
 * Links the serials of every delivery to persons around the spine, by the rules of `core/passes.ts`; the steps are in
 * `linkage/`, what goes on from wave to wave in `waves/`. Tokens, the key index and people's decisions in; out come the list
 * of persons, a delivery each the place of every serial in it, and the next key index. Only the index holds tokens.
 *
 * The same tokens, rules and person key give the same bytes, whatever the order of deliveries, files and rows and the
 * number of threads: the files are sorted, and a new person's number comes from tokens alone.
 */
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import type { LinkCase } from '../core/link-case.ts'
import type { LinkageCounts } from '../core/linkage-report.ts'
import { type LinkRules, rulesVersion } from '../core/passes.ts'
import type { OnColumn } from './column-function.ts'
import {
  type Agency,
  agenciesOf,
  isSent,
  type LinkDelivery,
  noticeFilesOf,
  requireOneSpine,
} from './linkage/agencies.ts'
import { besideSteps, doneTokensSteps } from './linkage/beside.ts'
import { byNumberSteps } from './linkage/by-number.ts'
import { clusterSizes } from './linkage/clusters.ts'
import { labelComponents } from './linkage/components.ts'
import { hubCounts, sentKeys, spinePairCounts } from './linkage/counts.ts'
import { requireInvariants } from './linkage/invariants.ts'
import { type Flows, mapAgencies, requireDistinct } from './linkage/map-agencies.ts'
import { placedStep } from './linkage/maps.ts'
import { noticeStep, numberSuspects, suspectSteps } from './linkage/numbers.ts'
import { numberPlaceStep, personSteps, settledStep } from './linkage/persons.ts'
import { recordSteps, sentSteps } from './linkage/records.ts'
import { keptSteps, sharedKeySteps, type WeakerType, weakerTypes } from './linkage/shared-keys.ts'
import {
  foundingEdgeStep,
  foundingStep,
  pairStep,
  settledSpineStep,
  twinSteps,
} from './linkage/spine.ts'
import { spineLinkStep } from './linkage/spine-links.ts'
import {
  earlierStep,
  lateStep,
  nameSteps,
  pairSteps,
  possibleSteps,
  strongSteps,
} from './linkage/weaker-keys.ts'
import { repeatsIn } from './repeats.ts'
import { quoteText, type Session } from './session.ts'
import { describeFiles } from './sorted-files.ts'
import { parquetOptions } from './take-table.ts'
import {
  decidedOtherStep,
  decidedPlaceStep,
  decidedTokenStep,
  takeDecisions,
  type Verdict,
} from './waves/decisions.ts'
import { type Doubts, takeDoubts } from './waves/doubts.ts'
import { holdKeys } from './waves/held.ts'
import { type KeyIndex, knownSteps } from './waves/known.ts'
import { leaveRun } from './waves/leave-run.ts'
import { keepNumbers, spinePlaceStep } from './waves/numbering.ts'

export type Linked = {
  /** Parquet: ordinal INTEGER from 0, person UUID; in order of both. */
  personsFile: string
  persons: number
  maps: Flows['maps']
  thinned: Flows['thinned']
  /** Deliveries up to this wave have lost their records of nobody. */
  lateWave: number
  /** The next version of the key index (`waves/known.ts`). For the key side only. */
  indexFile: string
  /** Parquet of `writeIndex`: which numbers were given up, and for which. For the data side. */
  changesFile: string
  /** Parquet of `writeCaseList`. For the data side. */
  caseListFile: string
  /** The gravest cases, at most `casesMax`. */
  worklist: LinkCase[]
  report: LinkageCounts
}

export type ToLink = {
  deliveries: readonly LinkDelivery[]
  rules: LinkRules
  /** Of the linkage key in force; 1 if it was never changed. */
  epoch?: number
  /** The key index that the last linkage wrote; none before the first. */
  known?: KeyIndex | undefined
  /** Agency → link maps of the last linkage. */
  before?: Readonly<Record<string, readonly string[]>>
  /** Of every case that people ever decided on. */
  verdicts?: readonly Verdict[]
  /** What agencies came to doubt since the last linkage. */
  doubts?: readonly Doubts[]
  /** Founding tokens (n × 16 bytes) → person numbers (n × 16 bytes). */
  personsOf: OnColumn
  outDir: string
}

/**
 * Runs a linkage.
 *
 * @throws {Refusal} `state-conflict` without exactly one agency as the spine, or when the result breaks an invariant;
 *   `input-malformed` when a serial is in two parts of a delivery; `epoch-retired` when the linkage key was changed and the
 *   spine has not yet delivered every record again.
 */
export async function linkPersons(session: Session, linkage: ToLink): Promise<Linked> {
  const { outDir, known, before = {} } = linkage
  const isFirst = known === undefined
  const version = (known?.version ?? 0) + 1
  const tokens = linkage.deliveries.flatMap(({ files }) => files)
  const { rowsIn, sorted } = await describeFiles(session, tokens)
  const agencies = agenciesOf(linkage.deliveries, sorted)
  const spine = requireOneSpine(agencies)
  session.registerColumnFunction('person_of', 16, linkage.personsOf)
  const { torn, held } = await takeHistory(session, linkage, {
    agencies,
    rowsIn,
    spine: spine.agency,
  })
  await run(session, recordSteps(agencies, held > 0))
  const types = typesOf(linkage.deliveries)
  await run(session, besideSteps(agencies, types))
  const sent = await sentKeys(session, agencies, types)
  const notices = await placeByNumber(session, linkage, { agencies, spine, version })
  const personsFile = join(outDir, 'persons.parquet')
  const persons = await writePersons(session, personsFile)
  await placeByWeakerKeys(session, linkage)
  const records = `record_${spine.agency}`
  await run(session, [placedStep, spineLinkStep({ records, isSorted: spine.isSorted, version })])
  const newest = Math.max(...linkage.deliveries.map(({ wave }) => wave))
  const lateWave = Math.max(0, newest - linkage.rules.lateWavesMax)
  const mapping = { isFirst, before, persons, lateWave, sent, outDir }
  const { flows, mapSteps } = await mapAgencies(session, agencies, mapping)
  const { left, hubsByKey, spinePairs, clusters } = await session.runBeside(mapSteps, async () => {
    await requireOwnNumbers(session, personsFile)
    await requireInvariants(session, persons, { spine: spine.name, ...flows })
    return {
      left: await leaveRun(session, { agencies, spine, version, outDir }),
      hubsByKey: await hubCounts(session),
      spinePairs: await spinePairCounts(session),
      clusters: await clusterSizes(session),
    }
  })
  await requireDistinct(session, agencies, flows.maps)
  const report: LinkageCounts = {
    rulesVersion,
    persons,
    hubs: Object.values(hubsByKey).reduce((sum, count) => sum + count, 0),
    hubsByKey,
    notices,
    agencies: flows.agencies,
    deliveries: flows.deliveries,
    spinePairs,
    cases: left.cases.possible,
    clusters,
    change: { version, ...left.change, ...flows.change, held, torn, cases: left.cases },
  }
  const { files, worklist } = left
  const { maps, thinned } = flows
  return { personsFile, persons, maps, thinned, lateWave, ...files, worklist, report }
}

async function run(session: Session, steps: readonly string[]): Promise<void> {
  for (const step of steps) await session.run(step)
}

/** Passes 0 to 4, and the persons. Gives how many notices were used and set aside. */
async function placeByNumber(
  session: Session,
  { deliveries, rules, known }: ToLink,
  { agencies, spine, version }: { agencies: readonly Agency[]; spine: Agency; version: number },
): Promise<LinkageCounts['notices']> {
  const isFirst = known === undefined
  await run(session, [decidedTokenStep(spine.agency), ...twinSteps(spine.isDuplicateFree, rules)])
  await run(session, [noticeStep(noticeFilesOf(deliveries)), ...suspectSteps(agencies.length)])
  const types = typesOf(deliveries)
  await run(session, [...keptSteps(types), ...doneTokensSteps(types)])
  const notices = await numberSuspects(session, rules)
  await run(session, [foundingStep, pairStep(rules), foundingEdgeStep])
  await labelComponents(session, 'founding_edge', 'founding_label')
  await run(session, [settledSpineStep, decidedOtherStep(spine.agency), ...byNumberSteps])
  await session.run(spinePlaceStep)
  await keepNumbers(session, { isFirst, version })
  await run(session, [...personSteps(isFirst), settledStep, numberPlaceStep])
  return notices
}

/** What people decided, and passes 5 to 8. */
async function placeByWeakerKeys(session: Session, { deliveries, rules }: ToLink): Promise<void> {
  const shared = sharedKeySteps(typesOf(deliveries), rules)
  await run(session, [lateStep, decidedPlaceStep, ...shared, ...pairSteps])
  await run(session, [earlierStep, ...strongSteps, ...nameSteps, ...possibleSteps(rules)])
}

function typesOf(deliveries: readonly LinkDelivery[]): WeakerType[] {
  return weakerTypes.filter((type) => isSent(deliveries, `K${type}`))
}

/** What is known and was decided, and which keys of the spine are held back because of it. */
async function takeHistory(
  session: Session,
  { known, verdicts = [], doubts = [], epoch = 1 }: ToLink,
  {
    agencies,
    rowsIn,
    spine,
  }: { agencies: readonly Agency[]; rowsIn: ReadonlyMap<string, number>; spine: number },
): Promise<{ torn: number; held: number }> {
  const names = agencies.map(({ name }) => name)
  await run(session, [...knownSteps(known), ...sentSteps(agencies, rowsIn)])
  const isNewKey = known !== undefined && known.epoch !== epoch
  const torn = await takeDecisions(session, verdicts, { agencies: names, spine, isNewKey })
  await takeDoubts(session, doubts, names)
  const sent = `sent_${spine}`
  if (isNewKey) await requireBridge(session, sent)
  return { torn, held: await holdKeys(session, isNewKey ? undefined : sent) }
}

/** The registry has to bring every record again under a new linkage key, or its person would be lost. */
async function requireBridge(session: Session, sent: string): Promise<void> {
  const [counted] = await session.rows<{ missing: number }>(
    `select count(*) as missing from known_spine anti join ${sent} using (serial)`,
  )
  if (counted?.missing === 0) return
  throw new Refusal(
    'epoch-retired',
    'The linkage key was changed, and the spine has not delivered every record again under the new one.',
    { records: counted?.missing ?? 0 },
  )
}

/** Two persons with one number would be one person: a broken invariant, never a result. */
async function requireOwnNumbers(session: Session, personsFile: string): Promise<void> {
  const repeats = await repeatsIn(session, personsFile, 'person')
  if (repeats > 0) throw new Error('two persons share a number')
}

async function writePersons(session: Session, file: string): Promise<number> {
  await session.run(`copy (select ordinal, person from person)
    to ${quoteText(file)} (${parquetOptions})`)
  const [found] = await session.rows<{ persons: number }>('select count(*) as persons from person')
  return found?.persons ?? 0
}
