/** `gyeol release verify`: the package in a directory, held against the public keys that the reader trusts. */
import { type Command, jsonOption } from './command.ts'
import { untrueExitCode } from './exit-codes.ts'
import { readNamedFile } from './files.ts'
import { type PackageReport, verifyPackage } from './verify-package.ts'
import { cosignerLines, witnessesGiven, witnessOptions } from './witness-keys.ts'

export const releaseVerifyCommand: Command = {
  usage: '<directory> [options]',
  positionals: { least: 1, most: 1 },
  options: {
    key: {
      value: 'base64',
      meaning: 'Ed25519 key of the service’s releases, from a source you trust',
    },
    verifier: { value: 'verifier key', meaning: 'name+hash+key of the trail’s signer, likewise' },
    ca: { value: 'file', meaning: 'certificate of the authority, likewise; for manifest.p7s' },
    ...witnessOptions,
    ...jsonOption,
  },
  examples: [
    'gyeol release verify release --key "MCow…=" --verifier "gyeol.local/trail+5f6a…+AY…" --ca ca.pem',
    'gyeol release verify release --verifier "gyeol.local/trail+5f6a…+AY…" --witnesses witnesses.txt --cosignatures 2',
    'gyeol release verify release --json',
  ],
  run: async ({ given, print, printJson }) => {
    const ca = given.text('ca')
    const report = await verifyPackage(given.positionals[0] ?? '', {
      key: given.text('key'),
      verifier: given.text('verifier'),
      ca: ca === undefined ? undefined : readNamedFile(ca),
      ...witnessesGiven(given, 'verifier'),
    })
    for (const line of linesOf(report)) print(line)
    printJson(report)
    return report.verified ? 0 : untrueExitCode
  },
}

function linesOf(report: PackageReport): string[] {
  const { release, recipient, validUntil, files, rows, publication } = report
  return [
    report.verified
      ? `the package holds: ${files} files, ${rows} rows`
      : `THE PACKAGE DOES NOT HOLD: ${report.problems.length} problems`,
    ...report.documents.map((name) => `as described: ${name}`),
    ...report.problems.map(({ file, sentence }) => `${file}: ${sentence}`),
    ...report.unchecked.map((sentence) => `not checked: ${sentence}`),
    ...(publication
      ? [
          `published ${publication.time}, leaf ${publication.index} of ${publication.size}`,
          ...cosignerLines(publication.cosigners),
        ]
      : []),
    `release ${release} for ${recipient}, until ${validUntil}`,
  ]
}
