/** Agency by agency: its link maps are written, its flows counted, and what changed since the linkage before. */
import { join } from 'node:path'
import type { LinkageCounts } from '../../core/linkage-report.ts'
import type { Session } from '../session.ts'
import { beforeStep, carriedStep, type LinkChange, linkChange } from '../waves/before.ts'
import { carriedDoubtStep } from '../waves/doubts.ts'
import { findExpired, isLate, thinTokens } from '../waves/expiry.ts'
import type { Agency, LinkDelivery } from './agencies.ts'
import { type Outcomes, outcomesOf, type Sent, validOf } from './counts.ts'
import { doubledPersons } from './invariants.ts'
import { deliveredStep, linkedQuery, linkedSteps, mapStep, requireDistinctSerials } from './maps.ts'
import { placeOf, requireOwnPlaces } from './places.ts'

/** What became of the records of every agency, and the maps that were written. */
export type Flows = Pick<LinkageCounts, 'agencies' | 'deliveries'> & {
  /** Delivery → Parquet of `mapStep`; every serial is there. */
  maps: Record<string, { file: string; serials: number; linked: number }>
  change: LinkChange & { expired: number; waiting: number }
  /** Delivery → its token files without what has waited long enough; only where something has to go. */
  thinned: Record<string, string[]>
  /** Agency that is free of duplicates → persons with several of its serials, where nobody decided so. */
  doubled: Record<string, number>
}

type Mapping = {
  isFirst: boolean
  before: Readonly<Record<string, readonly string[]>>
  persons: number
  /** The last wave whose unlinked records have waited long enough. */
  lateWave: number
  /** Agency, by number → the keys of its records. */
  sent: ReadonlyMap<number, Sent>
  outDir: string
}

/**
 * Writes the map of every delivery from the places of its records. That of an only delivery in order of serial needs nothing
 * else.
 *
 * @returns `mapSteps`: the statements that write these, each on one thread; they read nothing temporary.
 */
export async function mapAgencies(
  session: Session,
  agencies: readonly Agency[],
  of: Mapping,
): Promise<{ flows: Flows; mapSteps: string[] }> {
  const change = { attached: 0, detached: 0, moved: 0, expired: 0, waiting: 0 }
  const flows: Flows = {
    agencies: {},
    doubled: {},
    deliveries: [],
    maps: {},
    thinned: {},
    change,
  }
  const mapSteps: string[] = []
  for (const agency of agencies) await mapAgency(session, agency, { ...of, flows, mapSteps })
  return { flows, mapSteps }
}

/**
 * Looks at the maps that were written: each serial once, and with the place of its own record.
 *
 * @throws {Refusal} `input-malformed` when a serial is in two parts of a delivery.
 * @throws {Error} when a serial has another's place: a defect.
 */
export async function requireSoundMaps(
  session: Session,
  agencies: readonly Agency[],
  maps: Flows['maps'],
): Promise<void> {
  for (const { agency, name, isSpine, deliveries } of agencies) {
    const own: string[] = []
    for (const { deliveryId, files } of deliveries) {
      const { file } = maps[deliveryId] ?? {}
      if (file === undefined) continue
      if (files.length > 1) await requireDistinctSerials(session, file, name)
      own.push(file)
    }
    if (!isSpine) await requireOwnPlaces(session, agency, own)
  }
}

async function mapAgency(
  session: Session,
  agency: Agency,
  of: Mapping & { flows: Flows; mapSteps: string[] },
): Promise<void> {
  const { flows, mapSteps, persons, isFirst, lateWave, outDir } = of
  const { name } = agency
  const deliveries = [...agency.retired, ...agency.deliveries]
  const isPlaced = await findLinks(session, agency, of)
  const late = deliveries.filter((delivery) => isLate(delivery, lateWave))
  const expired =
    late.length > 0 ? await findExpired(session, agency.agency, { isFirst, lateWave }) : 0
  const isOne = deliveries.length === 1
  const mapped = { agency, isOne, isPlaced, hasExpired: expired > 0, persons, mapSteps }
  const told: Outcomes[] = []
  for (const delivery of deliveries) {
    const file = join(outDir, `map-${Object.keys(flows.maps).length}.parquet`)
    const flow = await mapDelivery(session, delivery, { ...mapped, file })
    flows.maps[delivery.deliveryId] = { file, serials: flow.serials, linked: flow.linked }
    told.push(flow)
  }
  const [only] = told
  const about = { ...agency, persons }
  const whole = isOne && only ? only : await outcomesOf(session, 'linked', about)
  const counts = {
    ...whole,
    ...(of.sent.get(agency.agency) ?? { valid: 0, withK1: 0, withKey: {} }),
  }
  for (const [at, delivery] of deliveries.entries()) {
    const valid = isOne ? counts.valid : await validOf(session, delivery)
    flows.deliveries.push({ agency: name, wave: delivery.wave, valid, ...(told[at] ?? whole) })
  }
  flows.agencies[name] = counts
  if (agency.isDuplicateFree && counts.duplicates > 0) {
    flows.doubled[name] = await doubledPersons(session)
  }
  flows.change.expired += expired
  flows.change.waiting += whole.serials - whole.linked - expired
  for (const delivery of late) {
    const files = await thinTokens(session, delivery, outDir)
    if (files) flows.thinned[delivery.deliveryId] = files
  }
}

/**
 * Makes `linked`, and counts what changed in it since the linkage before.
 *
 * @returns whether the links are the places of the records and nothing else.
 */
async function findLinks(
  session: Session,
  agency: Agency,
  { isFirst, before, flows }: Mapping & { flows: Flows },
): Promise<boolean> {
  const { name, isSpine, retired, deliveries } = agency
  const isCarried = !isFirst && retired.length > 0
  if (!isFirst) await session.run(beforeStep(before[name] ?? []))
  const isOne = retired.length + deliveries.length === 1 && !isCarried
  for (const step of linkedSteps(agency, isOne)) await session.run(step)
  if (isCarried) {
    await session.run(carriedStep(agency.agency, retired))
    await session.run(carriedDoubtStep(agency.agency, retired))
  }
  if (!isFirst && !isSpine) {
    const change = await linkChange(session)
    flows.change.attached += change.attached
    flows.change.detached += change.detached
    flows.change.moved += change.moved
  }
  return isOne && !isSpine
}

/** Writes the map of a delivery, or says how, and counts what is in it, and what has waited long enough and is not. */
async function mapDelivery(
  session: Session,
  delivery: LinkDelivery,
  {
    agency,
    file,
    isOne,
    isPlaced,
    hasExpired,
    persons,
    mapSteps,
  }: {
    agency: Agency
    file: string
    isOne: boolean
    isPlaced: boolean
    hasExpired: boolean
    persons: number
    mapSteps: string[]
  },
): Promise<Outcomes> {
  const about = { ...agency, persons }
  const from = isOne ? 'linked' : 'delivered'
  const counted = isPlaced ? placeOf(agency.agency) : from
  if (isPlaced && agency.isSorted && !hasExpired) {
    mapSteps.push(mapStep({ from: `(${linkedQuery(agency)})`, order: undefined, file }))
    return await outcomesOf(session, counted, about)
  }
  if (!isOne) await session.run(deliveredStep(delivery))
  const kept = hasExpired ? `(from ${from} anti join expired using (serial))` : from
  const order = isOne && agency.isSorted ? 'file_row' : 'serial'
  await session.run(mapStep({ from: kept, order, file }))
  return await outcomesOf(session, counted, about)
}
