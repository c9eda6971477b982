/**
 * Checks an exported trail with nothing but the file: no network, no database, no trust in whoever
 * exported it.
 */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Refusal } from '../core/errors.ts'
import { type TrailExpectation, type TrailReport, verifyTrail } from '../core/verify-trail.ts'
import { type Command, jsonOption } from './command.ts'
import { untrueExitCode } from './exit-codes.ts'
import { readNamedFile } from './files.ts'
import {
  cosignerLines,
  uncheckedCosignatures,
  witnessesGiven,
  witnessOptions,
} from './witness-keys.ts'

export const auditVerifyCommand: Command = {
  usage: '<file> [options]',
  positionals: { least: 1, most: 1 },
  options: {
    key: { value: 'verifier key', meaning: 'name+hash+key of the signer, from a source you trust' },
    older: { value: 'file', meaning: 'a checkpoint you kept: the trail must continue it' },
    ...witnessOptions,
    ...jsonOption,
  },
  examples: [
    'gyeol audit verify trail.jsonl --key "gyeol.local/trail+5f6a…+AY…"',
    'gyeol audit verify trail.jsonl --key "gyeol.local/trail+5f6a…+AY…" --witnesses witnesses.txt --cosignatures 2',
    'gyeol audit verify trail.jsonl --older checkpoint-of-march.txt --json',
  ],
  run: async ({ given, print, printJson }) => {
    const key = given.text('key')
    const older = given.text('older')
    const witnesses = witnessesGiven(given, 'key')
    const startedAt = performance.now()
    const report = await verifyFile(given.positionals[0] ?? '', {
      ...(key === undefined ? {} : { verifierKeys: [key] }),
      ...(older === undefined ? {} : { olderCheckpoint: readNamedFile(older) }),
      ...witnesses,
    })
    const seconds = (performance.now() - startedAt) / 1000
    const { cosigners, otherCosignatures: others } = report
    const cosigned = { cosigners, others }
    report.unchecked.push(...uncheckedCosignatures(cosigned, witnesses.witnessKeys))
    for (const line of linesOf(report)) print(line)
    printJson({ ...report, seconds, verifyLeavesPerSecond: Math.round(report.leaves / seconds) })
    return report.verified ? 0 : untrueExitCode
  },
}

/** Checks the trail in a file, in flat memory. @throws {Refusal} `not-found`. */
export async function verifyFile(
  path: string,
  expectation: TrailExpectation,
): Promise<TrailReport> {
  const file = await open(path).catch((cause: unknown) => {
    throw new Refusal(
      'not-found',
      'The exported trail cannot be read. Check its path.',
      {},
      { cause },
    )
  })
  await file.close()
  const input = createReadStream(path, { encoding: 'utf8' })
  return verifyTrail(createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }), expectation)
}

/** A report for people. */
export function linesOf(report: TrailReport): string[] {
  const { verified, problems, problemCount, unchecked } = report
  return [
    verified
      ? `the trail holds: ${report.leaves} leaves, ${report.checkpoints} checkpoints, size ${report.size}`
      : `THE TRAIL DOES NOT HOLD: ${problemCount} problems`,
    ...problems.map(({ where, sentence }) => `${where}: ${sentence}`),
    ...(problemCount > problems.length ? [`and ${problemCount - problems.length} more`] : []),
    ...unchecked.map((sentence) => `not checked: ${sentence}`),
    ...cosignerLines(report.cosigners),
    `origin ${report.origin}, root ${report.root}`,
  ]
}
