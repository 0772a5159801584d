/**
 * Returns the query for documents that hold an asset, by its asset id or one of its public ids: parameters
 * `$assetId` and `$publicIds`. GROQ cannot search at any depth, so the paths are given.
 *
 * Source: https://www.sanity.io/docs/specifications/groq-traversal
 *
 * @param types paths by document type; `[]` stands for every item of a list
 */
export function documentsQuery(types: Readonly<Record<string, readonly string[]>>): string {
  const clauses = Object.entries(types).map(([type, paths]) => {
    const holds = paths.flatMap((path) => [
      path.includes('[]') ? `$assetId in ${path}.asset_id` : `${path}.asset_id == $assetId`,
      path.includes('[]')
        ? `count((${path}.public_id)[@ in $publicIds]) > 0`
        : `${path}.public_id in $publicIds`
    ])
    return `(_type == ${JSON.stringify(type)} && (${holds.join(' || ')}))`
  })
  return `*[${clauses.join(' || ')}]`
}
