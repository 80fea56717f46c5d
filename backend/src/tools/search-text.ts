import type { SearchCut } from '../services/search/disk/disk-search.ts'

/** What a model should know about a result that may not be whole; null when it is. */
export function searchNotice({ cutBy, isCurrent, shown, more }: { readonly cutBy: SearchCut; readonly isCurrent: boolean; readonly shown: string; readonly more: string }): string | null {
  const parts = [cutText(cutBy, shown, more), isCurrent ? null : 'The latest changes may be missing: the search copy of the workspace was not up to date in time. Search again in a moment.']
  const text = parts.filter((part) => part !== null).join(' ')
  return text === '' ? null : text
}

function cutText(cutBy: SearchCut, shown: string, more: string): string | null {
  switch (cutBy) {
    case null:
      return null
    case 'limit':
      return `There are more than these ${shown}. ${more}`
    case 'size':
      return `There are more than these ${shown}: no more fit into one result. ${more}`
    case 'time':
    case 'output':
      return `The search was ended before it was complete, so there may be more than these ${shown}. ${more}`
  }
}
