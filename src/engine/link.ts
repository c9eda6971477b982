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
import { agencyCountsOf, flowOf, hubCounts, spinePairCounts } from './linkage/counts.ts'
import { addMembersStep, memberStep, requireInvariants } from './linkage/invariants.ts'
import {
  deliveredStep,
  linkedStep,
  requireDistinctSerials,
  writeCases,
  writeMap,
} from './linkage/maps.ts'
import { noticeStep, numberSuspects, suspectSteps } from './linkage/numbers.ts'
import { personStep, settledStep } from './linkage/persons.ts'
import { type AgencyFiles, recordSteps, rowsOf } from './linkage/records.ts'
import { sharedKeySteps, weakerTypes } from './linkage/shared-keys.ts'
import { foundingStep, pairStep, settledSpineStep, twinSteps } from './linkage/spine.ts'
import {
  earlierStep,
  nameSteps,
  pairSteps,
  possibleSteps,
  strongSteps,
} from './linkage/weaker-keys.ts'
import { quoteText, type Session } from './session.ts'
import { parquetOptions } from './take-table.ts'

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
}

export type Linked = {
  /** Parquet: ordinal INTEGER from 0, person UUID; in order of both. */
  personsFile: string
  persons: number
  /** Delivery → Parquet of `writeMap`; every serial is there. */
  maps: Record<string, { file: string; serials: number; linked: number }>
  /** Parquet: agency, serial, ordinal, pass, pattern of every pair that is possible. For the key side only. */
  casesFile: string
  report: LinkageCounts
}

export type ToLink = {
  deliveries: readonly LinkDelivery[]
  rules: LinkRules
  /** Founding tokens (n × 16 bytes) → person numbers (n × 16 bytes). */
  personsOf: OnColumn
  outDir: string
}

/**
 * Runs a linkage.
 *
 * @throws {Refusal} `state-conflict` without exactly one agency as the spine, or when the result breaks an invariant;
 *   `input-malformed` when a serial is in two parts of a delivery.
 */
export async function linkPersons(session: Session, linkage: ToLink): Promise<Linked> {
  const { outDir, rules } = linkage
  const agencies = agenciesOf(linkage.deliveries)
  const count = agencies.length
  requireOneSpine(agencies)
  session.registerColumnFunction('person_of', 16, linkage.personsOf)
  for (const { name, deliveries } of agencies) {
    if (deliveries.length < 2) continue // With one delivery its map is looked at.
    for (const one of deliveries) await requireDistinctSerials(session, rowsOf(one), name)
  }
  const run = async (steps: readonly string[]): Promise<void> => {
    for (const step of steps) await session.run(step)
  }
  const isFree = agencies.some((agency) => agency.isSpine && agency.isDuplicateFree)
  await run(recordSteps(agencies))
  await run([...twinSteps(isFree, rules), noticeStep(noticeFilesOf(linkage.deliveries))])
  await run(suspectSteps(count))
  const notices = await numberSuspects(session, rules)
  await run([foundingStep, pairStep(rules), settledSpineStep, ...byNumberSteps])
  await run([personStep, settledStep])
  const persons = await requirePersons(session)
  const types = weakerTypes.filter((type) => isSent(linkage.deliveries, `K${type}`))
  await run([...sharedKeySteps(types, rules), ...pairSteps, earlierStep])
  await run([...strongSteps, ...nameSteps, ...possibleSteps(rules), memberStep])
  const personsFile = join(outDir, 'persons.parquet')
  await session.run(`copy (select ordinal, person from person order by ordinal)
    to ${quoteText(personsFile)} (${parquetOptions})`)
  const flows = await mapAgencies(session, agencies, outDir)
  await requireInvariants(session, persons, agencies)
  const casesFile = join(outDir, 'cases.parquet')
  const cases = await writeCases(
    session,
    agencies.map(({ name }) => name),
    casesFile,
  )
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
    cases,
    clusters: await clusterSizes(session),
  }
  return { personsFile, persons, maps: flows.maps, casesFile, report }
}

type Agency = AgencyFiles & {
  name: string
  keyTypes: readonly string[]
  deliveries: readonly LinkDelivery[]
}

/** Agencies by name, so that their numbers do not depend on the order of deliveries. */
function agenciesOf(deliveries: readonly LinkDelivery[]): Agency[] {
  const withKeys = deliveries.filter(({ files }) => files.length > 0)
  const names = [...new Set(withKeys.map(({ agency }) => agency))].sort()
  return names.map((name, agency) => {
    const own = withKeys.filter((delivery) => delivery.agency === name)
    return {
      name,
      agency,
      isSpine: own.some(({ isSpine }) => isSpine),
      isDuplicateFree: own.every(({ isDuplicateFree }) => isDuplicateFree),
      keyTypes: own[0]?.keyTypes ?? [],
      deliveries: own.toSorted((a, b) => a.wave - b.wave),
    }
  })
}

function noticeFilesOf(deliveries: readonly LinkDelivery[]): string[] {
  return deliveries.flatMap(({ noticeFiles }) => noticeFiles)
}

function isSent(deliveries: readonly LinkDelivery[], type: string): boolean {
  return deliveries.some(({ keyTypes }) => keyTypes.includes(type))
}

function requireOneSpine(agencies: readonly Agency[]): void {
  const spines = agencies.filter(({ isSpine }) => isSpine).length
  if (spines === 1) return
  throw new Refusal('state-conflict', 'A linkage needs the delivery of exactly one spine.', {
    spines,
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

type Flows = Pick<LinkageCounts, 'agencies' | 'deliveries'> & Pick<Linked, 'maps'>

/** Writes the map of every delivery, agency by agency, and gathers the members of persons. */
async function mapAgencies(
  session: Session,
  agencies: readonly Agency[],
  outDir: string,
): Promise<Flows> {
  const flows: Flows = { agencies: {}, deliveries: [], maps: {} }
  for (const agency of agencies) {
    const { name, deliveries } = agency
    await session.run(linkedStep(agency.agency))
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
