/**
 * Links the serials of every delivery to persons around the spine, by the rules of `core/passes.ts`; the steps are in
 * `linkage/`, one file each. Tokens in; out come the list of persons and, a delivery each, the place of every serial in it.
 * Neither holds a token.
 *
 * The same tokens, rules and person key give the same bytes, whatever the order of deliveries, files and rows and the
 * number of threads: the files are sorted, and a person's number comes from tokens alone.
 */
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import type { LinkageCounts } from '../core/linkage-report.ts'
import { type LinkRules, rulesVersion } from '../core/passes.ts'
import type { OnColumn } from './column-function.ts'
import { byNumberSteps } from './linkage/by-number.ts'
import { clusterSizes } from './linkage/clusters.ts'
import { labelComponents } from './linkage/components.ts'
import { agencyCountsOf, flowOf, hubCounts, spinePairCounts } from './linkage/counts.ts'
import { addMembersStep, memberStep, requireInvariants } from './linkage/invariants.ts'
import { deliveredStep, linkedStep, requireDistinctSerials, writeMap } from './linkage/maps.ts'
import { noticeStep, numberSuspects, suspectSteps } from './linkage/numbers.ts'
import { personSteps, settledStep } from './linkage/persons.ts'
import { type AgencyFiles, recordSteps, rowsOf, sentSteps } from './linkage/records.ts'
import { sharedKeySteps, weakerTypes } from './linkage/shared-keys.ts'
import {
  foundingEdgeStep,
  foundingStep,
  pairStep,
  settledSpineStep,
  twinSteps,
} from './linkage/spine.ts'
import {
  earlierStep,
  lateStep,
  nameSteps,
  pairSteps,
  possibleSteps,
  strongSteps,
} from './linkage/weaker-keys.ts'
import { quoteText, type Session } from './session.ts'
import { parquetOptions } from './take-table.ts'
import { beforeStep, carriedStep, type LinkChange, linkChange } from './waves/before.ts'
import { caseCounts, gatherCases, type WorkCase, worklistOf } from './waves/cases.ts'
import {
  decidedOtherStep,
  decidedPlaceStep,
  decidedTokenStep,
  takeDecisions,
  type Verdict,
} from './waves/decisions.ts'
import { holdKeys } from './waves/held.ts'
import { type KeyIndex, knownSteps } from './waves/known.ts'
import { keepNumbers, spinePlaceStep } from './waves/numbering.ts'
import { changeStep, personChange, writeIndex } from './waves/write-index.ts'

/** The tokens of one delivery. */
export type LinkDelivery = {
  deliveryId: string
  agency: string
  wave: number
  isSpine: boolean
  /** The agency declares one serial a person. */
  isDuplicateFree: boolean
  keyTypes: readonly string[]
  /** Token Parquet files of `takeKeys`. Without one the delivery has no map. */
  files: readonly string[]
  /** Token Parquet files of `takeNotices`. */
  noticeFiles: readonly string[]
  /** Its tokens were made under an older linkage key: its serials stay where they were linked. */
  isRetired?: boolean
}

export type Linked = {
  /** Parquet: ordinal INTEGER from 0, person UUID; in order of both. */
  personsFile: string
  persons: number
  /** Delivery → Parquet of `writeMap`; every serial is there. */
  maps: Record<string, { file: string; serials: number; linked: number }>
  /** The next version of the key index (`waves/known.ts`). For the key side only. */
  indexFile: string
  /** Parquet of `writeIndex`: which numbers were given up, and for which. For the data side. */
  changesFile: string
  /** The gravest cases, at most `casesMax`. */
  worklist: WorkCase[]
  report: LinkageCounts
}

export type ToLink = {
  deliveries: readonly LinkDelivery[]
  rules: LinkRules
  /** The key index that the last linkage wrote; none before the first. */
  known?: KeyIndex | undefined
  /** Agency → link maps of the last linkage. */
  before?: Readonly<Record<string, readonly string[]>>
  /** Of every case that people ever decided on. */
  verdicts?: readonly Verdict[]
  /** Founding tokens (n × 16 bytes) → person numbers (n × 16 bytes). */
  personsOf: OnColumn
  outDir: string
}

/** Cases beyond these are counted but not listed. */
export const casesMax = 50_000

/**
 * Runs a linkage.
 *
 * @throws {Refusal} `state-conflict` without exactly one agency as the spine, or when the result breaks an invariant;
 *   `input-malformed` when a serial is in two parts of a delivery; `epoch-retired` when the linkage key was changed and the
 *   spine has not yet delivered every record again.
 */
export async function linkPersons(session: Session, linkage: ToLink): Promise<Linked> {
  const { outDir, rules, known } = linkage
  const version = (known?.version ?? 0) + 1
  const agencies = agenciesOf(linkage.deliveries)
  const spine = requireOneSpine(agencies)
  const run = async (steps: readonly string[]): Promise<void> => {
    for (const step of steps) await session.run(step)
  }
  session.registerColumnFunction('person_of', 16, linkage.personsOf)
  for (const { name, deliveries } of agencies) {
    if (deliveries.length < 2) continue // With one delivery its map is looked at.
    for (const one of deliveries) await requireDistinctSerials(session, rowsOf(one), name)
  }
  await run([...knownSteps(known), ...sentSteps(agencies)])
  const { torn, held } = await takeHistory(session, linkage, { agencies, spine: spine.agency })
  await run([...recordSteps(agencies, held > 0), decidedTokenStep(spine.agency)])
  await run([...twinSteps(spine.isDuplicateFree, rules), noticeStep(noticeFilesOf(linkage))])
  await run(suspectSteps(agencies.length))
  const notices = await numberSuspects(session, rules)
  await run([foundingStep, pairStep(rules), foundingEdgeStep])
  await labelComponents(session, 'founding_edge', 'founding_label')
  await run([settledSpineStep, decidedOtherStep(spine.agency), ...byNumberSteps, spinePlaceStep])
  const isFirst = known === undefined
  await keepNumbers(session, { isFirst, version })
  await run([...personSteps(isFirst), settledStep, lateStep, decidedPlaceStep])
  const persons = await requirePersons(session)
  const types = weakerTypes.filter((type) => isSent(linkage.deliveries, `K${type}`))
  await run([...sharedKeySteps(types, rules), ...pairSteps, earlierStep])
  await run([...strongSteps, ...nameSteps, ...possibleSteps(rules), memberStep])
  const personsFile = join(outDir, 'persons.parquet')
  await session.run(`copy (select ordinal, person from person order by ordinal)
    to ${quoteText(personsFile)} (${parquetOptions})`)
  const flows = await mapAgencies(session, agencies, linkage)
  await requireInvariants(session, persons, agencies)
  const left = await leave(session, { agencies, spine: spine.agency, version, outDir })
  const hubsByKey = await hubCounts(session)
  const report: LinkageCounts = {
    rulesVersion,
    persons,
    hubs: Object.values(hubsByKey).reduce((sum, count) => sum + count, 0),
    hubsByKey,
    notices,
    agencies: flows.agencies,
    deliveries: flows.deliveries,
    spinePairs: await spinePairCounts(session),
    cases: left.cases.possible,
    clusters: await clusterSizes(session),
    change: { version, ...left.change, ...flows.change, held, torn, cases: left.cases },
  }
  const { indexFile, changesFile, worklist } = left
  return { personsFile, persons, maps: flows.maps, indexFile, changesFile, worklist, report }
}

/** What is known and was decided, and which keys of the spine are held back because of it. */
async function takeHistory(
  session: Session,
  { known, verdicts = [], deliveries }: ToLink,
  { agencies, spine }: { agencies: readonly Agency[]; spine: number },
): Promise<{ torn: number; held: number }> {
  const names = agencies.map(({ name }) => name)
  const torn = await takeDecisions(session, verdicts, { agencies: names, spine })
  const waves = agencies.map(
    ({ agency }) => `select ${agency}::utinyint as agency, serial, last_wave from sent_${agency}`,
  )
  await session.run(`create temp view sent_wave as ${waves.join(' union all ')}`)
  await session.run(`create temp view sent_spine as from sent_${spine}`)
  if (known && deliveries.some(({ isRetired }) => isRetired)) await requireBridge(session)
  const isNewKey = deliveries.some(({ isSpine, isRetired }) => isSpine && isRetired)
  return { torn, held: await holdKeys(session, isNewKey ? undefined : `sent_${spine}`) }
}

/** The registry has to bring every record again under a new linkage key, or its person would be lost. */
async function requireBridge(session: Session): Promise<void> {
  const [counted] = await session.rows<{ missing: number }>(
    'select count(*) as missing from known_spine anti join sent_spine using (serial)',
  )
  if (counted?.missing === 0) return
  throw new Refusal(
    'epoch-retired',
    'The linkage key was changed, and the spine has not delivered every record again under the new one.',
    { records: counted?.missing ?? 0 },
  )
}

/** Writes what the next run goes on from, and what people have to look at. */
async function leave(
  session: Session,
  of: { agencies: readonly Agency[]; spine: number; version: number; outDir: string },
) {
  const agencies = of.agencies.map(({ name }) => name)
  await gatherCases(session, { agencies, spine: of.spine })
  await session.run(changeStep)
  const indexFile = join(of.outDir, 'index.parquet')
  const changesFile = join(of.outDir, 'changes.parquet')
  await writeIndex(session, { version: of.version, agencies, indexFile, changesFile })
  const worklist = await worklistOf(session, agencies, casesMax)
  const change = await personChange(session)
  return { indexFile, changesFile, worklist, change, cases: await caseCounts(session) }
}

type Agency = AgencyFiles & {
  name: string
  keyTypes: readonly string[]
  deliveries: readonly LinkDelivery[]
  /** Under an older linkage key. */
  retired: readonly LinkDelivery[]
}

/** Agencies by name, so that their numbers do not depend on the order of deliveries. */
function agenciesOf(deliveries: readonly LinkDelivery[]): Agency[] {
  const withKeys = deliveries.filter(({ files }) => files.length > 0)
  const names = [...new Set(withKeys.map(({ agency }) => agency))].sort()
  return names.map((name, agency) => {
    const own = withKeys.filter((delivery) => delivery.agency === name)
    const byWave = own.toSorted((a, b) => a.wave - b.wave)
    return {
      name,
      agency,
      isSpine: own.some(({ isSpine }) => isSpine),
      isDuplicateFree: own.every(({ isDuplicateFree }) => isDuplicateFree),
      keyTypes: own[0]?.keyTypes ?? [],
      deliveries: byWave.filter(({ isRetired }) => isRetired !== true),
      retired: byWave.filter(({ isRetired }) => isRetired === true),
    }
  })
}

function noticeFilesOf({ deliveries }: ToLink): string[] {
  return deliveries.flatMap(({ noticeFiles, isRetired }) => (isRetired ? [] : noticeFiles))
}

function isSent(deliveries: readonly LinkDelivery[], type: string): boolean {
  return deliveries.some(({ keyTypes }) => keyTypes.includes(type))
}

function requireOneSpine(agencies: readonly Agency[]): Agency {
  const spines = agencies.filter(({ isSpine }) => isSpine)
  const [spine] = spines
  if (spine && spines.length === 1) return spine
  throw new Refusal('state-conflict', 'A linkage needs the delivery of exactly one spine.', {
    spines: spines.length,
  })
}

/** Two persons with one number would be one person: a broken invariant, never a result. */
async function requirePersons(session: Session): Promise<number> {
  const [found] = await session.rows<{ rows: number; numbers: number }>(
    'select count(*) as rows, count(distinct person) as numbers from person',
  )
  if (!found || found.numbers !== found.rows) throw new Error('two persons share a number')
  return found.rows
}

type Flows = Pick<LinkageCounts, 'agencies' | 'deliveries'> &
  Pick<Linked, 'maps'> & { change: LinkChange }

/** Writes the map of every delivery, agency by agency, and gathers the members of persons. */
async function mapAgencies(
  session: Session,
  agencies: readonly Agency[],
  { known, before, outDir }: ToLink,
): Promise<Flows> {
  const change = { attached: 0, detached: 0, moved: 0 }
  const flows: Flows = { agencies: {}, deliveries: [], maps: {}, change }
  for (const agency of agencies) {
    const { name } = agency
    const deliveries = [...agency.retired, ...agency.deliveries]
    await session.run(linkedStep(agency.agency))
    if (known) {
      await session.run(beforeStep(before?.[name] ?? []))
      if (agency.retired.length > 0) await session.run(carriedStep(agency.retired))
      const own = await linkChange(session)
      for (const kind of ['attached', 'detached', 'moved'] as const) {
        if (!agency.isSpine) change[kind] += own[kind]
      }
    }
    const isOne = deliveries.length === 1
    if (isOne) await requireDistinctSerials(session, 'linked', name)
    const whole = await flowOf(session, 'linked')
    const counts = await agencyCountsOf(session, agency, whole)
    flows.agencies[name] = counts
    for (const delivery of deliveries) {
      const file = join(outDir, `map-${Object.keys(flows.maps).length}.parquet`)
      if (!isOne) await session.run(deliveredStep(delivery))
      await writeMap(session, isOne ? 'linked' : 'delivered', file)
      const flow = isOne ? whole : await flowOf(session, 'delivered')
      const { serials, linked } = flow
      flows.maps[delivery.deliveryId] = { file, serials, linked }
      flows.deliveries.push({ agency: name, wave: delivery.wave, ...flow })
    }
    await session.run(addMembersStep(agency.agency))
  }
  return flows
}
