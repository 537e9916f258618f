import type { Problem, View } from './view.ts';
import { unknownName } from './view.ts';

/** Cables whose ends do not exist, or that share one. */
export function linkProblems(view: View): Problem[] {
  const dpus = [...view.hosts.values()].flatMap((host) => host.dpus.map((dpu) => dpu.name));
  const ends = new Set<string>();
  return view.links.flatMap((link, index) => {
    if (!Array.isArray(link)) return [];
    return link.flatMap((end: unknown, side): Problem[] => {
      if (typeof end !== 'string') return [];
      const path = ['links', index, side];
      const [dpu = '', port = '', ...rest] = end.split('/');
      if (rest.length > 0 || !/^p[01]$/.test(port))
        return [{ path, text: `${end} is not of the form DPU/p0 or DPU/p1` }];
      if (ends.has(end)) return [{ path, text: `${end} has two cables` }];
      ends.add(end);
      return unknownName(path, 'DPU', dpu, dpus);
    });
  });
}
