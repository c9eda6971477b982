/** Who delivered to a linkage. */
import { Refusal } from '../../core/errors.ts'
import type { AgencyFiles } from './records.ts'

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

/** An agency with the deliveries that have keys, by wave. */
export type Agency = AgencyFiles & {
  name: string
  keyTypes: readonly string[]
  deliveries: readonly LinkDelivery[]
  /** Under an older linkage key. */
  retired: readonly LinkDelivery[]
}

/**
 * Agencies by name, so that their numbers do not depend on the order of deliveries.
 *
 * @param sorted - the files that are in order of serial.
 */
export function agenciesOf(
  deliveries: readonly LinkDelivery[],
  sorted: ReadonlySet<string>,
): Agency[] {
  const withKeys = deliveries.filter(({ files }) => files.length > 0)
  const names = [...new Set(withKeys.map(({ agency }) => agency))].sort()
  return names.map((name, agency) => {
    const own = withKeys.filter((delivery) => delivery.agency === name)
    const byWave = own.toSorted((a, b) => a.wave - b.wave)
    const retired = byWave.filter(({ isRetired }) => isRetired === true)
    const current = byWave.filter(({ isRetired }) => isRetired !== true)
    const [file = '', ...otherFiles] = current.flatMap(({ files }) => files)
    return {
      name,
      agency,
      isSpine: own.some(({ isSpine }) => isSpine),
      isDuplicateFree: own.every(({ isDuplicateFree }) => isDuplicateFree),
      isSorted: otherFiles.length === 0 && sorted.has(file),
      keyTypes: own[0]?.keyTypes ?? [],
      deliveries: current,
      retired,
    }
  })
}

/** The files of notices under the newest linkage key. */
export function noticeFilesOf(deliveries: readonly LinkDelivery[]): string[] {
  return deliveries.flatMap(({ noticeFiles, isRetired }) => (isRetired ? [] : noticeFiles))
}

/** Whether an agency sends keys of a type. */
export function isSent(deliveries: readonly LinkDelivery[], type: string): boolean {
  return deliveries.some(({ keyTypes }) => keyTypes.includes(type))
}

/** The one agency that is the spine. @throws {Refusal} `state-conflict`. */
export function requireOneSpine(agencies: readonly Agency[]): Agency {
  const spines = agencies.filter(({ isSpine }) => isSpine)
  const [spine] = spines
  if (spine && spines.length === 1) return spine
  throw new Refusal('state-conflict', 'A linkage needs the delivery of exactly one spine.', {
    spines: spines.length,
  })
}
