/**
 * What is told of a linkage: counts, none of them small, and none that gives a small one away (`small-cells.ts`). A count that
 * is not told is null.
 */

import type { Outcome } from './passes.ts'
import { wilsonInterval } from './quality-numbers.ts'
import { hiddenCells, isSmall } from './small-cells.ts'

/** The records of an agency, or the serials of a delivery, by what came of them. */
export type FlowCounts = Record<Outcome, number> & {
  /** Rows of keys: one a serial. The sum of the outcomes. */
  serials: number
  /** With a place in the list of persons. */
  linked: number
  /** Pass → serials that it linked; those of the spine are under 0, 3 and 9. */
  linkedByPass: Record<string, number>
}

/** One agency over all its waves. */
export type AgencyCounts = FlowCounts & {
  withK1: number
  /** Key type → serials that have it. */
  withKey: Record<string, number>
  /** Linked serials beyond the first of their person. */
  duplicates: number
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
  /** Records of the spine whose new keys are held back until people decide. */
  held: number
  /** Records of the spine in decisions that contradict each other. */
  torn: number
  /** What people have to look at. */
  cases: Record<'possible' | 'conflict' | 'merge', number>
}

type Told = number | null

/** A flow as it is told. Linked serials by pass; the others by what they are. */
export type ToldFlow = {
  serials: Told
  linked: Told
  linkedByPass: Record<string, Told>
  unlinked: Record<(typeof unlinkedOutcomes)[number], Told>
  /** Linked serials if only the surest passes count, those that link by rule, or all that may be. */
  sensitivity: { passes1to2: Told; passes1to6: Told; withPossible: Told }
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
  agencies: Record<
    string,
    ToldFlow & { withKey: Record<string, Told>; duplicates: Told; rate: Rate | null }
  >
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

const unlinkedOutcomes = ['possible', 'conflict', 'quarantined', 'none'] as const

/** Of a run's counts those that may be told. */
export function toldReport(counts: LinkageCounts, threshold: number): LinkageReport {
  const { rulesVersion, persons, notices, spinePairs, cases, change } = counts
  const tell = (count: number): Told => (isSmall(count, threshold) ? null : count)
  return {
    rulesVersion,
    threshold,
    persons,
    hubs: mapped(counts.hubsByKey, tell),
    notices: { used: tell(notices.used), setAside: tell(notices.setAside) },
    agencies: mapped(counts.agencies, (agency) => toldAgency(agency, threshold)),
    deliveries: counts.deliveries.map((flow) => ({
      agency: flow.agency,
      wave: flow.wave,
      ...toldFlow(flow, threshold),
    })),
    spinePairs: { possible: tell(spinePairs.possible), match: tell(spinePairs.match) },
    cases: tell(cases),
    clusters: mapped(counts.clusters, tell),
    change: {
      version: change.version,
      founded: tell(change.founded),
      kept: tell(change.kept),
      merged: tell(change.merged),
      split: tell(change.split),
      attached: tell(change.attached),
      detached: tell(change.detached),
      moved: tell(change.moved),
      held: tell(change.held),
      torn: tell(change.torn),
      cases: {
        possible: tell(change.cases.possible),
        conflict: tell(change.cases.conflict),
        merge: tell(change.cases.merge),
      },
    },
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

function mapped<From, To>(values: Readonly<Record<string, From>>, to: (value: From) => To) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, to(value)]))
}

/**
 * All cells of a flow are hidden together, because they add up together: the passes that linked, and what came of the rest.
 * Known besides the cells are all serials, those linked, and the sums of the sensitivity.
 */
function toldFlow(flow: FlowCounts, threshold: number): ToldFlow {
  const byPass = Object.entries(flow.linkedByPass).map(([pass, count]) => ({ pass, count }))
  const linkedAs = (pass: string): number => flow.linkedByPass[pass] ?? 0
  const unlinked = unlinkedOutcomes.map((outcome) => {
    if (outcome === 'conflict') return flow.conflict - linkedAs('3')
    return outcome === 'quarantined' ? flow.quarantined - linkedAs('0') : flow[outcome]
  })
  const cells = [...byPass.map(({ count }) => count), ...unlinked]
  const cellsOf = (passes: readonly string[]): number[] =>
    byPass.flatMap(({ pass }, cell) => (passes.includes(pass) ? [cell] : []))
  const spine = ['0', '3', '9']
  const all = [...cells.keys()]
  const linked = cellsOf(byPass.map(({ pass }) => pass))
  const surest = cellsOf([...spine, '1', '2'])
  const byRule = cellsOf([...spine, '1', '2', '4', '5', '6'])
  const possible = [...linked, byPass.length]
  const sumOf = (sum: readonly number[]): number =>
    sum.reduce((total, cell) => total + (cells[cell] ?? 0), 0)
  // The first are the first to be told; a sum is withheld if it, or what it has beyond another, is small.
  const known: number[][] = []
  for (const sum of [all, linked, byRule, surest, possible]) {
    const rests = known.flatMap((other) => [
      sum.filter((cell) => !other.includes(cell)),
      other.filter((cell) => !sum.includes(cell)),
    ])
    if (![sum, ...rests].some((part) => isSmall(sumOf(part), threshold))) known.push(sum)
  }
  const hidden = hiddenCells({ quantities: [cells], sums: known }, threshold)
  const tell = (sum: number[]): Told => (known.includes(sum) ? sumOf(sum) : null)
  const cell = (at: number): Told => (hidden.has(at) ? null : (cells[at] ?? 0))
  return {
    serials: tell(all),
    linked: tell(linked),
    linkedByPass: Object.fromEntries(byPass.map(({ pass }, at) => [pass, cell(at)])),
    unlinked: Object.fromEntries(
      unlinkedOutcomes.map((outcome, at) => [outcome, cell(byPass.length + at)]),
    ) as ToldFlow['unlinked'],
    sensitivity: {
      passes1to2: tell(surest),
      passes1to6: tell(byRule),
      withPossible: tell(possible),
    },
  }
}

function toldAgency(counts: AgencyCounts, threshold: number): LinkageReport['agencies'][string] {
  const flow = toldFlow(counts, threshold)
  const { serials, linked } = flow
  const isPartTold = (count: number): boolean =>
    !isSmall(count, threshold) && !isSmall(counts.serials - count, threshold)
  return {
    ...flow,
    withKey: mapped(counts.withKey, (count) => (isPartTold(count) ? count : null)),
    duplicates: isSmall(counts.duplicates, threshold) ? null : counts.duplicates,
    rate: serials === null || linked === null ? null : rateOf(linked, serials),
  }
}
