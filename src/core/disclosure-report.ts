/**
 * What is said about how recognisable a release is, and whether it may be built at all. Counts, shares and names of
 * columns only.
 */
import type { SensitiveLists } from '../catalogue/sensitive.ts'
import type { Json } from './canonical.ts'
import { type ClassMeasures, type Difference, singlesOut } from './disclosure.ts'
import { type Policy, policyRefused } from './policy.ts'
import type { PolicyMeasures } from './policy-sections.ts'

/** How far a class tells a sensitive value, where it tells most. */
export type SensitiveMeasures = {
  column: string
  /** Fewest different values in a class. */
  distinctL: number
  /** Least exponential of the entropy (in nats) of a class: its effective number of values. */
  entropyL: number
  /** Greatest distance of a class's distribution from that of all records; equal distance between values, 0 to 1. */
  t: number
}

/** k^m of sets, m = 2: what somebody learns who knows two codes of a person. */
export type SetMeasures = {
  k: number
  m: 2
  /** Persons with at least one code. */
  persons: number
  codes: number
  /** Codes, and pairs of codes of one person, that fewer than k persons have. */
  rareCodes: number
  rarePairs: number
  /** Fewest persons with a code or pair; 0 where there is no code. */
  smallest: number
  /** Persons with at least one rare code or pair. */
  personsWithRare: number
}

/** What suppression took away. Cells of records that are left out whole are not counted. */
export type Suppressed = {
  records: number
  recordsShare: number
  cells: number
  cellsShare: number
  /** Quasi-identifier → emptied cells. */
  cellsOf: Record<string, number>
}

/** Raw values, values under the rules, and values that leave. */
export type Measured = {
  before: ClassMeasures
  underRules: ClassMeasures
  after: ClassMeasures
  suppressed: Suppressed | undefined
  sensitive: { table: string; before: SensitiveMeasures; after: SensitiveMeasures }[]
  sets: { table: string; column: string; before: SetMeasures; after: SetMeasures }[]
}

/**
 * Refuses a release that does not keep what its policy promises.
 *
 * @throws {Refusal} `policy-refused` with the counts: persons below k, more suppressed than declared, a class that tells too
 * much.
 */
export function requireMeasures(measures: PolicyMeasures, measured: Measured): void {
  const { after, suppressed } = measured
  const { k } = measures
  const small = after.below.find((line) => line.k === k)?.records ?? 0
  if (small > 0) throw policyRefused({ fault: 'persons in classes below k', k, persons: small })
  const recordsMax = measures.suppression?.recordsMaxShare ?? 0
  if (suppressed && suppressed.recordsShare > recordsMax) {
    const { records: persons, recordsShare: share } = suppressed
    throw policyRefused({ fault: 'more persons suppressed than declared', k, persons, share })
  }
  for (const [index, bounds] of measures.sensitive.entries()) {
    const found = measured.sensitive[index]?.after
    if (!found || after.records === 0) continue
    const { table, column } = bounds
    const { distinctLMin = 0, entropyLMin = 0, tMax = 1 } = bounds
    if (found.distinctL < distinctLMin || found.entropyL < entropyLMin) {
      throw policyRefused({ table, column, fault: 'a class tells a sensitive value' })
    }
    if (found.t > tMax) throw policyRefused({ table, column, fault: 'a class is far from all' })
  }
}

/**
 * Refuses a release that, beside an earlier one of its domain, singles out fewer persons than the policy allows.
 *
 * @throws {Refusal} `policy-refused` with how many releases, never which persons.
 */
export function requireDifferences(policy: Policy, differences: readonly Difference[]): void {
  const k = policy.measures?.differenceMin ?? policy.measures?.k ?? differenceMin
  const releases = differences.filter((difference) => singlesOut(difference, k)).length
  if (releases > 0) {
    throw policyRefused({ fault: 'differs from earlier releases by too few persons', k, releases })
  }
}

/** Of a policy that measures nothing. */
const differenceMin = 10

/** `disclosure-report.json`. */
export function disclosureReportOf(about: {
  policy: Policy
  lists: SensitiveLists
  measured: Measured | undefined
  /** By the id of the earlier release. */
  differences: readonly (Difference & { release: string })[]
  /** What is said of each table of counts. */
  tables: readonly Json[]
}): Json {
  const { policy, lists, measured, differences, tables } = about
  const { measures } = policy
  return {
    report: 'gyeol-disclosure-1',
    policy: { name: policy.name, version: policy.version, type: policy.type },
    sensitiveClasses: {
      version: lists.version,
      status: lists.status.en,
      leftOut: Object.keys(lists.classes).filter((name) => !isIncluded(policy, name)),
      included: policy.sensitive?.include ?? [],
    },
    differences,
    tables,
    measured:
      measures === undefined || measured === undefined
        ? 'nothing: the policy names no quasi-identifiers'
        : {
            k: measures.k,
            missing: measures.missing,
            suppressionAndSensitive: 'a missing value is its own value',
            quasiIdentifiers: measures.quasiIdentifiers,
            suppression: measures.suppression,
            ...measured,
          },
  }
}

/** Whether somebody decided that a sensitive class may leave. */
export function isIncluded(policy: Policy, name: string): boolean {
  return policy.sensitive?.include.some((each) => each.class === name) ?? false
}
