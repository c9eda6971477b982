/**
 * Checks a release package with nothing but its directory and the public keys that the reader trusts: no network, no
 * database, no trust in whoever handed it over.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesOfBase64 } from '../core/base64.ts'
import { Refusal } from '../core/errors.ts'
import {
  checkAuditProof,
  checkDescription,
  checkFiles,
  checkSignature,
  type PackageManifest,
  type PackageProblem,
  type Publication,
  readManifest,
} from '../core/package-check.ts'
import { checkDocuments, packageDocuments } from '../core/package-documents.ts'
import { openSession } from '../engine/session.ts'
import { checkTableFiles } from '../engine/table-file-check.ts'
import { checkDetached } from '../keys/cms.ts'
import { digestsOf } from './package-files.ts'
import { type GivenWitnesses, uncheckedCosignatures } from './witness-keys.ts'

/** What the reader brings along. */
type Trusted = Partial<GivenWitnesses> & {
  key?: string | undefined
  verifier?: string | undefined
  ca?: string | undefined
}

export type PackageReport = {
  verified: boolean
  release: string
  recipient: string
  validUntil: string
  files: number
  rows: number
  /** Documents that are what their names promise. */
  documents: string[]
  publication?: Publication
  problems: PackageProblem[]
  unchecked: string[]
}

/** Checks the package in a directory. @throws {Refusal} `not-found`, `option-unknown` for a key that is none. */
export async function verifyPackage(directory: string, trusted: Trusted): Promise<PackageReport> {
  if (!existsSync(join(directory, 'manifest.json'))) {
    throw new Refusal('not-found', 'There is no manifest.json in this directory.')
  }
  const bytes = await readFile(join(directory, 'manifest.json'))
  const read = readManifest(bytes)
  if ('problem' in read) {
    const nothing = { release: '', recipient: '', validUntil: '', files: 0, rows: 0, documents: [] }
    return { verified: false, ...nothing, problems: [read.problem], unchecked: ['all the rest'] }
  }
  const { manifest } = read
  const found = await digestsOf(directory)
  const problems = checkFiles(manifest, found)
  const unchecked: string[] = []
  await checkSigned(directory, bytes, { trusted, problems, unchecked })
  const publication = await checkPublication(
    directory,
    { bytes, ...manifest },
    { trusted, problems, unchecked },
  )
  const documents = await checkSaid(directory, manifest, problems)
  const rows = await checkTables(directory, manifest, { problems, unchecked })
  if (Date.parse(manifest.validUntil) <= Date.now()) {
    unchecked.push('the period of this release is over: it must not be used any more')
  }
  const { release, recipient, validUntil, files } = manifest
  const verified = problems.length === 0
  const about = { release, recipient, validUntil, files: files.length, rows, documents }
  return { verified, ...about, ...(publication && { publication }), problems, unchecked }
}

type Findings = { problems: PackageProblem[]; unchecked: string[] }

async function checkSigned(
  directory: string,
  manifest: Buffer,
  { trusted, problems, unchecked }: Findings & { trusted: Trusted },
): Promise<void> {
  const signature = await textOf(directory, 'manifest.json.sig')
  if (trusted.key === undefined) {
    unchecked.push('who signed the manifest: give the key of the service with --key')
    if (signature === undefined)
      problems.push({ file: 'manifest.json.sig', sentence: 'It is missing.' })
  } else problems.push(...checkSignature(manifest, signature, keyOf(trusted.key)))
  const file = 'manifest.p7s'
  if (!existsSync(join(directory, file))) {
    unchecked.push('manifest.p7s: the package has none')
    return
  }
  const cms = checkDetached(await readFile(join(directory, file)), manifest, trusted.ca)
  if (!cms.isSigned) problems.push({ file, sentence: 'It is no signature of this manifest.' })
  if (cms.isTrusted === false) {
    problems.push({ file, sentence: 'This authority did not sign the certificate in it.' })
  }
  if (trusted.ca === undefined) {
    unchecked.push('whose certificate is in manifest.p7s: give that of the authority with --ca')
  }
}

async function checkPublication(
  directory: string,
  manifest: { bytes: Buffer; release: string },
  { trusted, problems, unchecked }: Findings & { trusted: Trusted },
): Promise<Publication | undefined> {
  const proof = await textOf(directory, 'audit-proof.txt')
  if (trusted.verifier === undefined) {
    unchecked.push('whether its publication is in the trail: give the verifier key with --verifier')
    if (proof === undefined) problems.push({ file: 'audit-proof.txt', sentence: 'It is missing.' })
    return undefined
  }
  const { verifier, witnessKeys = [], cosignaturesMin } = trusted
  const keys = { verifierKeys: [verifier], witnessKeys, cosignaturesMin }
  const checked = checkAuditProof(manifest, proof, keys)
  problems.push(...checked.problems)
  if (checked.publication)
    unchecked.push(...uncheckedCosignatures(checked.publication, witnessKeys))
  return checked.publication
}

/** Each document of the package: whether it is there, what its name promises, and about this release. */
async function checkSaid(
  directory: string,
  manifest: PackageManifest,
  problems: PackageProblem[],
): Promise<string[]> {
  const read = async (name: string) => [name, await textOf(directory, name)] as const
  const texts = new Map(await Promise.all(packageDocuments.map(read)))
  const checked = checkDocuments(manifest, (name) => texts.get(name))
  const known = new Set(problems.map(({ file }) => file))
  problems.push(...checked.problems.filter(({ file }) => !known.has(file)))
  return checked.sound
}

/** Opens each table: columns, types and rows are those that are described. Gives the rows of all Parquet files. */
async function checkTables(
  directory: string,
  manifest: PackageManifest,
  { problems, unchecked }: Findings,
): Promise<number> {
  const described = checkDescription(manifest, await textOf(directory, 'datapackage.json'))
  problems.push(...described.problems)
  const sound = (name: string): boolean => !problems.some(({ file }) => file === name)
  const rowsOf = new Map(manifest.files.map(({ name, rows }) => [name, rows]))
  const scratchDir = await mkdtemp(join(tmpdir(), 'gyeol-verify-'))
  const session = await openSession({
    scratchDir,
    memoryMiB: 512,
    threads: 2,
    packageDir: directory,
  })
  let rows = 0
  try {
    for (const table of described.tables) {
      const files = table.paths.filter((name) => sound(name) && rowsOf.has(name))
      if (table.encoding !== 'utf-8') {
        unchecked.push(`columns and rows of ${table.name}: it is in ${table.encoding}`)
        continue
      }
      for (const name of files) {
        const checked = await checkTableFiles(session, {
          ...table,
          path: join(directory, name),
          rows: rowsOf.get(name),
        })
        problems.push(...checked.sentences.map((sentence) => ({ file: name, sentence })))
        if (table.format === 'parquet') rows += checked.rows
      }
    }
  } finally {
    session.close()
    await rm(scratchDir, { recursive: true, force: true })
  }
  return rows
}

async function textOf(directory: string, name: string): Promise<string | undefined> {
  const path = join(directory, name)
  return existsSync(path) ? readFile(path, 'utf8') : undefined
}

function keyOf(base64: string): Uint8Array {
  const key = bytesOfBase64(base64)
  if (key?.length === 32) return key
  throw new Refusal('option-unknown', 'The key of releases is 32 bytes in base64.')
}
