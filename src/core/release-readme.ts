/** The README.txt of every release: what is in the package and how to check it. It says nothing of any one release. */
export const releaseReadme = `Gyeol release package / 결 반출 패키지

persons.parquet, data/<table>/   rows by pseudonym, sorted by it; CSV where the policy asked for it
tables/<name>.csv                tables of counts with their margins; * is a hidden count, never an empty one
datapackage.json                 tables, columns, titles in Korean and English, what was done to each column
disclosure-report.json           how recognisable the persons are, before and after; what was hidden and left out
utility-report.json              what was lost by it: cells, rows, shift of means
pseudonym-changes.csv            where an earlier release of the domain exists: which of its pseudonyms stand for whom now
linkage-quality.json             how well the sources were linked: rates, overlap, implausible records; small counts hidden
manifest.json                    every file with size, rows and SHA-256; for whom, what for, where, until when
manifest.json.sig                Ed25519 signature over the bytes of manifest.json, base64
manifest.p7s                     the same as CMS: openssl cms -verify -binary -inform DER -in manifest.p7s
                                 -content manifest.json -CAfile ca.pem -out /dev/null
audit-proof.txt                  that the publication of this manifest, once approved, is in the service's trail (C2SP)
codebook.csv                     tables and columns for people and their spreadsheets
ro-crate-metadata.json           where it all comes from (RO-Crate, W3C PROV)

The pseudonyms are of this release alone, unless its policy names a domain. Numbers in columns of dates are days since the
person's first diagnosis, whose month or year may be in the table of persons; dates (see "x-dates" in datapackage.json)
are moved by a number of weeks, the same for all dates of a person. An empty cell may be a hidden one. A missing row does not mean that something did not happen: a source may not know the
person.

To check: "gyeol release verify DIR --key … --verifier …", offline. Or compute SHA-256 of each file and compare it with
manifest.json; verify the signature with the public key that the service's operator published.

이 자료로 특정 개인을 알아보려는 처리는 금지되어 있습니다 (개인정보 보호법 제28조의5).
Processing this data to recognise a person is forbidden (Personal Information Protection Act, article 28-5).
`
