/**
 * The manifest of a release: every file with its size and digest, and what the release is, for whom and from what. Its own
 * digest is what findings, approval and signature bind to, so two manifests are the same release exactly when their
 * canonical texts are equal.
 */
import type { Json } from './canonical.ts'

/** A file of the package. */
export type PackageFile = {
  /** Path inside the package, with forward slashes. */
  name: string
  bytes: number
  /** 64 lower-case hexadecimal digits. */
  sha256: string
  /** Of a table file. */
  rows?: number
}

export type ReleaseFacts = {
  release: string
  project: string
  cohort: string
  linkage: string
  domain: string
  kind: 'A' | 'B'
  /** Digest of the canonical policy. */
  policySha256: string
  /** Digest of the linkage's list of persons. */
  linkageSha256: string
  /** Account name. */
  recipient: string
  purpose: string
  place: string
  /** From approval until then; UTC, RFC 3339. */
  validUntil: string
  builtAt: string
}

const nameShape = /^(?!.*(?:^|\/)\.\.?(?:\/|$))[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+){0,7}$/

/**
 * The manifest. Files stand in the order of their names, whatever order they came in.
 *
 * @throws {RangeError} for a file named twice, a name that could leave the package, or a digest that is none: a defect.
 */
export function manifestOf(facts: ReleaseFacts, files: readonly PackageFile[]): Json {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  for (const [index, { name, bytes, sha256 }] of sorted.entries()) {
    if (!nameShape.test(name)) throw new RangeError('a file name that could leave the package')
    if (name === sorted[index - 1]?.name) throw new RangeError('a file is named twice')
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new RangeError('a digest that is none')
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new RangeError('a size that is none')
  }
  return {
    manifest: 'gyeol-release-1',
    ...facts,
    files: sorted.map(({ name, bytes, sha256, rows }) => ({ name, bytes, sha256, rows })),
  }
}
