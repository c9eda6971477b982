/**
 * What is told of a linkage: counts, none of them small, and none that gives a small one away (`small-cells.ts`). A count
 * that is not told is null.
 */
import type { LinkCase } from './link-case.ts'
import { wilsonInterval } from './quality-numbers.ts'
import { isSmall } from './small-cells.ts'
import { type FlowCounts, type Told, type ToldFlow, toldFlow, toldWaves } from './told-flow.ts'

/** One agency over all its waves. */
export type AgencyCounts = FlowCounts & {
  withK1: number
  /** Key type → serials that have it. */
  withKey: Record<string, number>
}

/** The counts of a run, as the key side makes and stores them. */
export type LinkageCounts = {
  rulesVersion: string
  persons: number
  /** Tokens that stand for nobody, and by key type. */
  hubs: number
  hubsByKey: Record<string, number>
  notices: { used: number; setAside: number }
  agencies: Record<string, AgencyCounts>
  deliveries: ({ agency: string; wave: number } & FlowCounts)[]
  /** Pairs within the spine that agree in K2 or K3: told as possible, or made one. */
  spinePairs: { possible: number; match: number }
  /** Pairs of an unlinked serial and a person it may be. */
  cases: number
  /** Persons that hang together by any keys → how many such components. */
  clusters: Record<string, number>
  change: WaveChange
}

/** What a run changed against the linkage before. */
export type WaveChange = {
  /** Of the key index that it wrote, from 1. */
  version: number
  /** Persons: new, known before, given up to a survivor, and new out of a known one. */
  founded: number
  kept: number
  merged: number
  split: number
  /** Serials, those of the spine not counted: linked now and not before, before and not now, to another person. */
  attached: number
  detached: number
  moved: number
  /**
   * Serials of nobody, those of the spine not counted: destroyed because they have waited long enough, and still waiting.
   */
  expired: number
  waiting: number
  /** Records of the spine whose new keys are held back until people decide. */
  held: number
  /** Records of the spine in decisions that contradict each other. */
  torn: number
  /** What people have to look at. */
  cases: Record<LinkCase['kind'], number>
}

/** The report as it is told. */
export type LinkageReport = Omit<
  LinkageCounts,
  | 'hubs'
  | 'hubsByKey'
  | 'notices'
  | 'agencies'
  | 'deliveries'
  | 'spinePairs'
  | 'cases'
  | 'clusters'
  | 'change'
> & {
  threshold: number
  hubs: Record<string, Told>
  notices: Record<'used' | 'setAside', Told>
  agencies: Record<string, ToldFlow & { withKey: Record<string, Told>; rate: Rate | null }>
  deliveries: ({ agency: string; wave: number } & ToldFlow)[]
  spinePairs: Record<'possible' | 'match', Told>
  cases: Told
  clusters: Record<string, Told>
  change: Record<Exclude<keyof WaveChange, 'version' | 'cases'>, Told> & {
    version: number
    cases: Record<keyof WaveChange['cases'], Told>
  }
}

/** A share with its 95 % interval. */
export type Rate = { share: number; low: number; high: number }

/** Of a run's counts those that may be told. */
export function toldReport(counts: LinkageCounts, threshold: number): LinkageReport {
  const { rulesVersion, persons, notices, spinePairs, cases, change } = counts
  const tell = (count: number): Told => (isSmall(count, threshold) ? null : count)
  const agencies = mapped(counts.agencies, (agency) => toldAgency(agency, threshold))
  const isAllTold = Object.values(agencies).every(
    ({ serials, linked }) => serials !== null && linked !== null,
  )
  return {
    rulesVersion,
    threshold,
    persons,
    hubs: mapped(counts.hubsByKey, tell),
    notices: { used: tell(notices.used), setAside: tell(notices.setAside) },
    agencies,
    deliveries: toldDeliveries(counts, agencies, threshold),
    spinePairs: { possible: tell(spinePairs.possible), match: tell(spinePairs.match) },
    cases: tell(cases),
    clusters: mapped(counts.clusters, tell),
    change: toldChange(change, { tell, isAllTold }),
  }
}

/**
 * Who is new and who was known are all persons, and who was known is all before but those given up: told together or not.
 */
function toldChange(
  change: WaveChange,
  { tell, isAllTold }: { tell: (count: number) => Told; isAllTold: boolean },
): LinkageReport['change'] {
  const { version, cases, founded, kept, waiting, ...others } = change
  const isKeptTold = [founded, kept, change.merged].every((count) => tell(count) !== null)
  return {
    version,
    founded: isKeptTold ? founded : null,
    kept: isKeptTold ? kept : null,
    ...mapped(others, tell),
    // With all others told, it would tell how many of one agency are nobody's.
    waiting: isAllTold ? tell(waiting) : null,
    cases: mapped(cases, tell),
  }
}

/**
 * A share and its 95 % interval (Wilson, JASA 22, 1927), to four decimals.
 *
 * @returns null without a denominator.
 */
export function rateOf(numerator: number, denominator: number): Rate | null {
  if (denominator === 0) return null
  const { low, high } = wilsonInterval(numerator, denominator)
  const rounded = (value: number): number => Math.round(value * 10_000) / 10_000
  return {
    share: rounded(numerator / denominator),
    low: rounded(low),
    high: rounded(high),
  }
}

function mapped<Name extends string, From, To>(
  values: Readonly<Record<Name, From>>,
  to: (value: From) => To,
): Record<Name, To> {
  const told = Object.entries<From>(values).map(([name, value]) => [name, to(value)])
  return Object.fromEntries(told) as Record<Name, To>
}

/** Keys by which a record can be found: all but the veto. */
const findingKeys = ['K1', 'K2', 'K3', 'K5']

function toldAgency(counts: AgencyCounts, threshold: number): LinkageReport['agencies'][string] {
  const flow = toldFlow(counts, threshold)
  const { serials, linked } = flow
  const isPartTold = (count: number): boolean =>
    !isSmall(count, threshold) && !isSmall(counts.serials - count, threshold)
  // Who has a valid key but not this one is the difference of two numbers that would be told.
  const isValidTold = findingKeys.every(
    (key) => !isSmall(counts.valid - (counts.withKey[key] ?? 0), threshold),
  )
  return {
    ...flow,
    valid: isValidTold ? flow.valid : null,
    withKey: mapped(counts.withKey, (count) => (isPartTold(count) ? count : null)),
    rate: serials === null || linked === null ? null : rateOf(linked, serials),
  }
}

/** Wave by wave, in the order of the counts. */
function toldDeliveries(
  { agencies, deliveries }: LinkageCounts,
  told: LinkageReport['agencies'],
  threshold: number,
): LinkageReport['deliveries'] {
  return [...Map.groupBy(deliveries, ({ agency }) => agency)].flatMap(([agency, waves]) => {
    const [whole, ofWhole] = [agencies[agency], told[agency]]
    if (!whole || !ofWhole) throw new Error('a delivery is of an agency that was counted')
    const { withKey: _, rate: __, ...flow } = ofWhole
    const flows = toldWaves({ whole, told: flow }, waves, threshold)
    return flows.map((each, at) => ({ agency, wave: waves[at]?.wave ?? 0, ...each }))
  })
}
