/** Agency by agency: its link maps are written, its flows counted, and what changed since the linkage before. */
import { join } from 'node:path'
import type { LinkageCounts } from '../../core/linkage-report.ts'
import type { Session } from '../session.ts'
import { beforeStep, carriedStep, type LinkChange, linkChange } from '../waves/before.ts'
import type { Agency } from './agencies.ts'
import { agencyCountsOf, flowOf } from './counts.ts'
import { addMembersStep } from './invariants.ts'
import { deliveredStep, linkedStep, requireDistinctSerials, writeMap } from './maps.ts'

/** What became of the records of every agency, and the maps that were written. */
export type Flows = Pick<LinkageCounts, 'agencies' | 'deliveries'> & {
  /** Delivery → Parquet of `writeMap`; every serial is there. */
  maps: Record<string, { file: string; serials: number; linked: number }>
  change: LinkChange
}

/** Writes the map of every delivery, agency by agency, and gathers the members of persons. */
export async function mapAgencies(
  session: Session,
  agencies: readonly Agency[],
  of: { isFirst: boolean; before: Readonly<Record<string, readonly string[]>>; outDir: string },
): Promise<Flows> {
  const change = { attached: 0, detached: 0, moved: 0 }
  const flows: Flows = { agencies: {}, deliveries: [], maps: {}, change }
  for (const agency of agencies) {
    const { name } = agency
    const deliveries = [...agency.retired, ...agency.deliveries]
    await session.run(linkedStep(agency.agency))
    if (!of.isFirst) {
      await session.run(beforeStep(of.before[name] ?? []))
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
      const file = join(of.outDir, `map-${Object.keys(flows.maps).length}.parquet`)
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
