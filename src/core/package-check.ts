/**
 * Checking a release package with nothing but the package and public keys that one trusts. Whatever is wrong is a problem
 * with its place; what could not be checked is said, because silence would pass for approval.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { bytesOfBase64 } from './base64.ts'
import { canonicalJson } from './canonical.ts'
import type { Cosigner } from './cosignature.ts'
import { checkCosignatures, type TrustedWitnesses } from './cosigned.ts'
import { verifyEd25519 } from './ed25519.ts'
import { Refusal } from './errors.ts'
import { extraOfTlogProof, verifyTlogProof } from './tlog-proof.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const fileName = /^(?!.*(?:^|\/)\.\.?(?:\/|$))[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+){0,7}$/
const filesMax = 100_000

const manifestSchema = z.looseObject({
  manifest: z.literal('gyeol-release-1'),
  release: z.uuid(),
  policySha256: sha256,
  recipient: z.string(),
  purpose: z.string(),
  place: z.string(),
  validUntil: z.iso.datetime(),
  files: z
    .array(
      z.strictObject({
        name: z.string().regex(fileName),
        bytes: z.int().min(0),
        sha256,
        rows: z.int().min(0).optional(),
      }),
    )
    .max(filesMax),
})
export type PackageManifest = z.infer<typeof manifestSchema>

/** What is wrong, and in which file. */
export type PackageProblem = { file: string; sentence: string }

/** These cannot be in the manifest: they are about it, or it itself. */
const aboutManifest: ReadonlySet<string> = new Set([
  'manifest.json',
  'manifest.json.sig',
  'manifest.p7s',
  'audit-proof.txt',
])

/** The manifest, or why it is none. */
export function readManifest(
  bytes: Uint8Array,
): { manifest: PackageManifest } | { problem: PackageProblem } {
  const wrong = (sentence: string) => ({ problem: { file: 'manifest.json', sentence } })
  const text = Buffer.from(bytes).toString('utf8')
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return wrong('It is not JSON.')
  }
  const parsed = manifestSchema.safeParse(document)
  if (!parsed.success) return wrong('It is not the manifest of a release.')
  // The digest is of these bytes, so a second text of the same meaning must not pass for it.
  if (`${canonicalJson(parsed.data as Parameters<typeof canonicalJson>[0])}\n` !== text) {
    return wrong('It is not in its one canonical form.')
  }
  return { manifest: parsed.data }
}

/** Holds the files that are there against the manifest. `found`: every file of the directory by name. */
export function checkFiles(
  { files }: PackageManifest,
  found: ReadonlyMap<string, { bytes: number; sha256: string }>,
): PackageProblem[] {
  const named = new Set(files.map(({ name }) => name))
  const problems = files.flatMap(({ name, bytes, sha256: digest }): PackageProblem[] => {
    const there = found.get(name)
    if (!there) return [{ file: name, sentence: 'It is missing.' }]
    if (there.bytes !== bytes) return [{ file: name, sentence: 'Its size is another.' }]
    if (there.sha256 !== digest) return [{ file: name, sentence: 'Its digest is another.' }]
    return []
  })
  const strangers = [...found.keys()].filter((name) => !named.has(name) && !aboutManifest.has(name))
  const isTwice = named.size !== files.length
  return [
    ...problems,
    ...(isTwice ? [{ file: 'manifest.json', sentence: 'It names a file twice.' }] : []),
    ...strangers.map((file) => ({ file, sentence: 'The manifest does not name it.' })),
  ]
}

/** Checks the Ed25519 signature. `key`: 32 bytes that one trusts. */
export function checkSignature(
  manifest: Uint8Array,
  signature: string | undefined,
  key: Uint8Array,
): PackageProblem[] {
  const file = 'manifest.json.sig'
  if (signature === undefined) return [{ file, sentence: 'It is missing.' }]
  const bytes = bytesOfBase64(signature.trim())
  return bytes && verifyEd25519(key, manifest, bytes)
    ? []
    : [{ file, sentence: 'This key did not sign this manifest.' }]
}

const publicationSchema = z.looseObject({
  time: z.string(),
  action: z.literal('publish-release'),
  object: z.string(),
  outcome: z.literal('done'),
  digests: z.looseObject({ manifest: z.string() }),
})

/** Where the publication stands in the trail, and who cosigned the checkpoint that shows it. */
export type Publication = {
  index: number
  size: number
  time: string
  /** Of the witnesses that one trusts. */
  cosigners: Cosigner[]
  /** Signatures under the checkpoint that are none of theirs, nor the log's. */
  others: number
}

/**
 * Checks that the publication of exactly this manifest, which follows its approval, is in the trail whose checkpoint these
 * verifier keys signed.
 *
 * @returns the problems; and the publication if it is there, whoever cosigned it.
 */
export function checkAuditProof(
  manifest: { bytes: Uint8Array; release: string },
  proof: string | undefined,
  trusted: TrustedWitnesses,
): { problems: PackageProblem[]; publication?: Publication } {
  const file = 'audit-proof.txt'
  const wrong = (sentence: string) => ({ problems: [{ file, sentence }] })
  if (proof === undefined) return wrong('It is missing.')
  const entry = extraOfTlogProof(proof)
  if (!entry) return wrong('It does not hold the entry that it proves.')
  try {
    const { index, checkpoint, note } = verifyTlogProof(proof, entry, trusted.verifierKeys)
    const { data } = publicationSchema.safeParse(JSON.parse(Buffer.from(entry).toString('utf8')))
    const digest = createHash('sha256').update(manifest.bytes).digest('hex')
    if (data?.object !== manifest.release || data.digests.manifest !== digest) {
      return wrong('It proves another act than the publication of this manifest.')
    }
    const { problems, ...cosigned } = checkCosignatures(note, trusted)
    const { size } = checkpoint
    return {
      problems: problems.map((sentence) => ({ file, sentence })),
      publication: { index, size, time: data.time, ...cosigned },
    }
  } catch (error) {
    if (!(error instanceof Refusal) && !(error instanceof SyntaxError)) throw error
    return wrong('It does not show that the publication is in the trail of these verifier keys.')
  }
}

const resourceSchema = z.looseObject({
  name: z.string(),
  path: z.union([z.string(), z.array(z.string())]),
  format: z.enum(['parquet', 'csv']),
  encoding: z.string(),
  schema: z.looseObject({
    fields: z.array(z.looseObject({ name: z.string(), type: z.string() })).max(10_000),
  }),
})

/** A table of the package as `datapackage.json` describes it. */
export type DescribedTable = {
  name: string
  paths: string[]
  format: 'parquet' | 'csv'
  encoding: string
  fields: { name: string; type: string }[]
}

/** The tables that are described, and what the description lacks or has too much. */
export function checkDescription(
  { files }: PackageManifest,
  text: string | undefined,
): { problems: PackageProblem[]; tables: DescribedTable[] } {
  const file = 'datapackage.json'
  const wrong = (sentence: string) => ({ problems: [{ file, sentence }], tables: [] })
  if (text === undefined) return wrong('It is missing.')
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return wrong('It is not JSON.')
  }
  const parsed = z.looseObject({ resources: z.array(resourceSchema) }).safeParse(document)
  if (!parsed.success) return wrong('It is not a Data Package with the schema of each table.')
  const tables = parsed.data.resources.map(({ name, path, format, encoding, schema }) => ({
    name,
    paths: [path].flat(),
    format,
    encoding,
    fields: schema.fields.map((field) => ({ name: field.name, type: field.type })),
  }))
  const described = new Set(tables.flatMap(({ paths }) => paths))
  const named = new Set(files.map(({ name }) => name))
  const isTable = (name: string): boolean => /^(data\/|tables\/|persons\.)/.test(name)
  return {
    tables,
    problems: [
      ...[...described].filter((name) => !named.has(name)).map(describedOnly),
      ...[...named].filter((name) => isTable(name) && !described.has(name)).map(undescribed),
    ],
  }
}

function describedOnly(file: string): PackageProblem {
  return { file, sentence: 'It is described, and the manifest does not name it.' }
}

function undescribed(file: string): PackageProblem {
  return { file, sentence: 'It is a table that datapackage.json does not describe.' }
}
