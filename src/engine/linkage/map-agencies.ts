/** Agency by agency: its link maps are written, its flows counted, and what changed since the linkage before. */
import { join } from 'node:path'
import type { LinkageCounts } from '../../core/linkage-report.ts'
import type { Session } from '../session.ts'
import { beforeStep, carriedStep, type LinkChange, linkChange } from '../waves/before.ts'
import { findExpired, isLate, thinTokens } from '../waves/expiry.ts'
import type { Agency } from './agencies.ts'
import { agencyCountsOf, outcomesOf, validOf } from './counts.ts'
import { doubledPersons } from './invariants.ts'
import { deliveredStep, linkedSteps, patternsOf, requireDistinctSerials, writeMap } from './maps.ts'

/** What became of the records of every agency, and the maps that were written. */
export type Flows = Pick<LinkageCounts, 'agencies' | 'deliveries'> & {
  /** Delivery → Parquet of `writeMap`; every serial is there. */
  maps: Record<string, { file: string; serials: number; linked: number }>
  change: LinkChange & { expired: number; waiting: number }
  /** Delivery → its token files without what has waited long enough; only where something has to go. */
  thinned: Record<string, string[]>
  /** Agency that is free of duplicates → persons with several of its serials, where nobody decided so. */
  doubled: Record<string, number>
}

/** Writes the map of every delivery, agency by agency. */
export async function mapAgencies(
  session: Session,
  agencies: readonly Agency[],
  of: {
    isFirst: boolean
    before: Readonly<Record<string, readonly string[]>>
    persons: number
    /** The last wave whose unlinked records have waited long enough. */
    lateWave: number
    outDir: string
  },
): Promise<Flows> {
  const change = { attached: 0, detached: 0, moved: 0, expired: 0, waiting: 0 }
  const flows: Flows = { agencies: {}, doubled: {}, deliveries: [], maps: {}, thinned: {}, change }
  for (const agency of agencies) {
    const { name, isSpine } = agency
    const deliveries = [...agency.retired, ...agency.deliveries]
    if (!of.isFirst) await session.run(beforeStep(of.before[name] ?? []))
    const isCarried = !of.isFirst && agency.retired.length > 0
    const withPattern = ['settled', 'late', ...(isCarried ? ['before_link'] : [])]
    const patterns = await patternsOf(session, withPattern)
    for (const step of linkedSteps(agency.agency, patterns)) await session.run(step)
    if (isCarried) await session.run(carriedStep(agency.retired, patterns))
    if (!of.isFirst) {
      const own = await linkChange(session)
      for (const kind of ['attached', 'detached', 'moved'] as const) {
        if (!isSpine) change[kind] += own[kind]
      }
    }
    const about = { isSpine, persons: of.persons }
    const whole = await outcomesOf(session, 'linked', about)
    const counts = await agencyCountsOf(session, agency, whole)
    flows.agencies[name] = counts
    if (agency.isDuplicateFree && counts.duplicates > 0) {
      flows.doubled[name] = await doubledPersons(session)
    }
    const isOne = deliveries.length === 1
    const from = isOne ? 'linked' : 'delivered'
    const late = deliveries.filter((delivery) => isLate(delivery, of.lateWave))
    const expired = late.length > 0 ? await findExpired(session, agency.agency, of.lateWave) : 0
    change.expired += expired
    change.waiting += whole.serials - whole.linked - expired
    for (const delivery of deliveries) {
      const file = join(of.outDir, `map-${Object.keys(flows.maps).length}.parquet`)
      if (!isOne) await session.run(deliveredStep(delivery))
      await writeMap(session, {
        from: expired > 0 ? `(from ${from} anti join expired using (serial))` : from,
        file,
        patterns,
      })
      await requireDistinctSerials(session, file, name)
      const flow = isOne ? whole : await outcomesOf(session, from, about)
      const valid = isOne ? counts.valid : await validOf(session, delivery)
      const { serials, linked } = flow
      flows.maps[delivery.deliveryId] = { file, serials, linked }
      flows.deliveries.push({ agency: name, wave: delivery.wave, valid, ...flow })
    }
    for (const delivery of late) {
      const files = await thinTokens(session, delivery, of.outDir)
      if (files) flows.thinned[delivery.deliveryId] = files
    }
  }
  return flows
}
