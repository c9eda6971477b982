/**
 * The counts of the data side before anything is hidden. They live in one job and never leave it; what does is in
 * quality-counts.ts, by mask-quality.ts.
 */
import type { CheckRule, RateTable } from './quality-counts.ts'

/** A count of a stratum as it is: it never leaves the job that made it. */
export type RawRate = { levels: string[]; delivered: number; linked: number }
export type RawTable = Pick<RateTable, 'basis' | 'agency' | 'by'> & { cells: RawRate[] }
export type RawMoments = { persons: number; mean: number; sd: number }

/** All counts before anything is hidden. */
export type RawQuality = {
  spine: string
  persons: number
  agencies: string[]
  rates: RawTable[]
  births: { agency: string; linked: RawMoments; unlinked: RawMoments }[]
  checks: {
    rule: CheckRule
    agency: string
    pass: string | null
    compared: number
    flagged: number
  }[]
  overlap: { agencies: string[]; persons: number }[]
  /** The chance that two random persons of the spine differ in it. */
  chanceOfDifference: { sex: number; birthYear: number }
}
