import type { RecipeStep, RecipeTarget } from '../src/domain/step.ts';
import { setEswitch } from '../src/steps/set-eswitch.ts';
import { setHugepages } from '../src/steps/set-hugepages.ts';
import { setMtu } from '../src/steps/set-mtu.ts';
import { setOvsBridges } from '../src/steps/set-ovs-bridges.ts';
import { setOvsOffload } from '../src/steps/set-ovs-offload.ts';
import type { Skip } from './skip.ts';
import { unless } from './skip.ts';

const ifDataPath: Skip = ({ profile }) =>
  profile.dataPath === undefined ? 'the profile leaves the data path alone' : undefined;
const ifEswitch: Skip = ({ profile }) =>
  profile.dataPath?.eswitch === 'leave' ? 'the profile leaves the mode of the switch alone' : undefined;
const ifMtu: Skip = ({ profile }) => (profile.mtuBytes ? undefined : 'the profile leaves the MTUs alone');

/**
 * What the profile wants for good on the card: switch, bridges, offload, MTUs. Part of `/dpu provision` and of every bench; it
 * stays. `ifArm`: who has no Arm to log in to.
 */
export function dataPathSteps(ifArm: Skip): readonly RecipeStep[] {
  return [
    { step: setEswitch, params: pickEswitch, skip: unless(ifArm, ifDataPath, ifEswitch) },
    { step: setOvsBridges, params: pickBridges, skip: unless(ifArm, ifDataPath), waitsFor: ['representors'] },
    { step: setOvsOffload, params: pickOffload, skip: unless(ifArm, ifDataPath) },
    {
      step: setMtu,
      params: ({ profile }) => profile.mtuBytes,
      skip: unless(ifArm, ifMtu),
      waitsFor: ['representors'],
    },
  ];
}

/** Memory of the host for DPDK, where the profile names some. */
export function hugepagesStep(skip: Skip): RecipeStep {
  const ifNamed: Skip = ({ profile }) => (profile.dataPath?.hugepages ? undefined : 'the profile names no hugepages');
  return {
    step: setHugepages,
    params: ({ profile }) => profile.dataPath?.hugepages,
    skip: unless(skip, ifNamed),
  };
}

function pickEswitch({ profile: { dataPath, ipsec } }: RecipeTarget): unknown {
  const ports = dataPath?.bridges.flatMap((bridge) => bridge.ports) ?? [];
  const uplinks = (['p0', 'p1'] as const).filter((uplink) => ports.includes(uplink));
  return {
    steering: dataPath?.steering,
    uplinks: uplinks.length === 0 ? ['p0'] : uplinks,
    steeringIsKept: ipsec?.fullOffload ?? false,
  };
}

function pickBridges({ profile }: RecipeTarget): unknown {
  const { bridges, docaInit } = profile.dataPath ?? {};
  return { bridges, docaInit };
}

function pickOffload({ profile }: RecipeTarget): unknown {
  const { hwOffload, docaInit } = profile.dataPath ?? {};
  return { hwOffload, docaInit };
}
