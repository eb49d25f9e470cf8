"""Two networks that judge conversions, and their training on background characters.

The recogniser is a prototypical network (Snell, Swersky and Zemel 2017), which takes a drawing
for the character whose exemplar lies nearest. The contrastive network (SimCLR; Chen et al.
2020) is told no characters, only which two views are of one drawing. How far its features of
several drawings of a character spread is their diversity. Boutin et al. 2022 introduced the
pair. Like theirs, these see black and white: a drawing is cut at half its ink before they look.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn
from torch.nn import functional as F

from vce_models.arrays import Array
from vce_models.datasets.drawings import Characters
from vce_models.datasets.episodes import Episodes
from vce_models.errors import WeightsError
from vce_models.files import is_file, replacing
from vce_models.networks.layout import channels_last
from vce_models.networks.precision import multiplies_bfloat16
from vce_models.progress import Progress

FORMAT = "vce critics 1"
"""The one key of the metadata."""

SHIPPED = Path(__file__).parents[1] / "pretrained" / "critics.safetensors"
"""The critics that come with the package."""

SIZE = 28
"""Side of the drawings that critics take; others are resized to it."""

WAYS, QUERIES = 40, 4
"""How many characters an episode of the recogniser's training has, and queries of each."""

DRAWINGS, TEMPERATURE = 256, 0.2
"""Drawings in a step of the contrastive training, and the temperature of its softmax."""

STEPS = 6000
"""Steps of the recogniser; the contrastive network, whose steps cost twice, takes a fifth."""

HOLE = 8
"""Side of the square that is wiped out of every view."""

BATCH = 128
"""Drawings whose features are computed at a time."""

WIDTHS = (32, 64, 64, 64)
"""Channels of the convolutions."""

VIEW = 1.5
"""Strength of a view's jitter, by which features learn to ignore affine maps."""

DEGREES, LOG_SCALE, SHEAR, SHIFT = 8.0, 0.12, 0.12, 1.2 / 28
"""Standard deviations of a weak affine jitter; the shift is a share of the side."""


class Features(nn.Module):
    """Four 3x3 convolutions of `WIDTHS`, each with batch norm, ReLU and 2x2 pooling."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise((1, *WIDTHS)):
            convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
            layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
        self.layers = channels_last(nn.Sequential(*layers))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, 28, 28) in [0, 1], ink = 1, to (N, 64) features."""
        x = (x >= 0.5).to(x.dtype).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.layers(x).flatten(1)
        return features


@dataclass(frozen=True)
class Critics:
    """The recogniser and the contrastive network, ready to judge."""

    recogniser: Features
    contrastive: Features


@torch.inference_mode()
def embed(network: Features, images: Array) -> Tensor:
    """Compute the features of drawings.

    Args:
        network: One of the critics.
        images: (N, size, size) in [0, 1], ink = 1.

    Returns:
        (N, 64), on the CPU.
    """
    device = next(network.parameters()).device
    parts = []
    for part in torch.split(torch.from_numpy(images)[:, None], BATCH):
        x = part.to(device, torch.float32)
        if x.shape[2] != SIZE:
            x = F.interpolate(x, size=(SIZE, SIZE), mode="area")
        parts.append(network(x).float().cpu())
    return torch.cat(parts)


def train(
    characters: Characters,
    device: str = "cpu",
    *,
    steps: int = STEPS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Critics:
    """Train both critics on 28x28 drawings.

    Args:
        characters: Background characters; each quarter turn of one counts as another character.
        device: `cpu` or `cuda`.
        steps: How many the recogniser takes; the contrastive network takes a fifth.
        seed: The seed of weights, episodes and jitter.
        progress: Called with (steps made, steps in all).
    """
    where = torch.device(device)
    generator = torch.Generator(where).manual_seed(seed)
    episodes = Episodes(characters, where)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        recogniser, contrastive = Features().to(where), Features().to(where)
        head = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64)).to(where)
    ways = min(WAYS, len(characters))

    def recognise() -> Tensor:
        return prototypical(recogniser(sample(episodes, ways, generator)), ways)

    def contrast() -> Tensor:
        chosen = torch.randint(len(episodes.images), (DRAWINGS,), generator=generator, device=where)
        x = episodes.images[chosen].float() / 255
        views = torch.cat([wiped(jitter(x, VIEW, generator), generator) for _ in range(2)])
        return nt_xent(F.normalize(head(contrastive(views)), dim=1))

    done, least = 0, max(1, steps // 5)
    trainings = (((recogniser,), recognise, steps), ((contrastive, head), contrast, least))
    for networks, loss, count in trainings:
        parameters = [value for network in networks for value in network.parameters()]
        adam = torch.optim.Adam(parameters, 1e-3)
        decay = torch.optim.lr_scheduler.CosineAnnealingLR(adam, count)
        for _ in range(count):
            adam.zero_grad()
            with torch.autocast(where.type, torch.bfloat16, enabled=multiplies_bfloat16(where)):
                value = loss()
            value.backward()
            adam.step()
            decay.step()
            done += 1
            if progress:
                progress(done, steps + least)
    return Critics(recogniser.eval(), contrastive.eval())


def sample(episodes: Episodes, ways: int, generator: torch.Generator) -> Tensor:
    """Sample an episode of the recogniser: each character is another, and turned at random.

    Args:
        episodes: Drawings of `ways` characters or more.
        ways: How many characters are drawn, without replacement: one under two labels would
            have no right answer.
        generator: On the device of the drawings.

    Returns:
        (ways * (1 + QUERIES), 1, 28, 28): an exemplar of each character, then its queries.
    """
    where = episodes.images.device
    order = torch.randperm(len(episodes.counts), generator=generator, device=where)
    x, q = episodes.sample_from(order[:ways], QUERIES, generator)
    images = torch.cat((q[::QUERIES], x))
    turns = torch.randint(4, (ways,), generator=generator, device=where)
    turns = torch.cat((turns, turns.repeat_interleave(QUERIES)))[:, None, None, None]
    choices = [torch.rot90(images, k, (2, 3)) for k in range(4)]
    return sum((torch.where(turns == k, choices[k], 0) for k in range(4)), torch.zeros_like(images))


def prototypical(features: Tensor, ways: int) -> Tensor:
    """Compute the cross entropy of queries over squared distances (Snell et al. 2017, eq. 2).

    Args:
        features: (ways * (1 + n), D): the exemplars, then n queries of the first of them, n of
            the second, and so on.
        ways: How many exemplars there are.
    """
    exemplars, queries = features[:ways].float(), features[ways:].float()
    truth = torch.arange(ways, device=features.device).repeat_interleave(len(queries) // ways)
    return F.cross_entropy(-torch.cdist(queries, exemplars).square(), truth)


def nt_xent(features: Tensor) -> Tensor:
    """Compute the cross entropy of each view's partner among all others (Chen et al. 2020, eq. 1).

    Args:
        features: (2 N, D), each of length 1; view i + N is the partner of view i.
    """
    features = features.float()
    count = len(features)
    similar = features @ features.T / TEMPERATURE
    similar = similar.masked_fill(torch.eye(count, dtype=torch.bool, device=similar.device), -1e9)
    partner = torch.arange(count, device=similar.device).roll(count // 2)
    return F.cross_entropy(similar, partner)


def wiped(images: Tensor, generator: torch.Generator) -> Tensor:
    """Wipe a square of `HOLE` pixels out of each of (N, 1, 28, 28), anywhere inside."""
    places = (SIZE - HOLE + 1, (2, len(images), 1))
    corner = torch.randint(*places, generator=generator, device=images.device)
    place = torch.arange(SIZE, device=images.device)
    down, right = (place >= corner) & (place < corner + HOLE)
    return images.masked_fill((down[:, :, None] & right[:, None])[:, None], 0)


def jitter(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Turn, scale, shear and shift each of (N, 1, H, W) at random; strength 1 is weak."""

    def normal(deviation: float) -> Tensor:
        shape = (len(images),)
        noise = torch.randn(shape, generator=generator, device=images.device)
        return noise * deviation * strength

    angle, scale, shear = normal(DEGREES * torch.pi / 180), normal(LOG_SCALE).exp(), normal(SHEAR)
    cos, sin = angle.cos() * scale, angle.sin() * scale
    right, down = normal(2 * SHIFT), normal(2 * SHIFT)  # the side is 2 in these coordinates
    upper = torch.stack((cos, shear * cos - sin, right), dim=1)
    lower = torch.stack((sin, shear * sin + cos, down), dim=1)
    theta = torch.stack((upper, lower), dim=1)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def save(path: Path, critics: Critics) -> None:
    """Write both critics as one safetensors file, whole or not at all."""
    tensors = {
        f"{name}.{key}": value.cpu().contiguous()
        for name, network in vars(critics).items()
        for key, value in network.state_dict().items()
    }
    with replacing(path) as temporary:
        temporary.write_bytes(to_bytes(tensors, {FORMAT: ""}))


def load(path: Path | None = None, device: str = "cpu") -> Critics:
    """Read critics; without a path, those that came with the package.

    Raises:
        WeightsError: The file is missing, damaged or of another kind.
    """
    path = path or SHIPPED
    if not is_file(path):
        raise WeightsError(f"{path} is no critics file", hint="vce critics -o trains some")
    critics = Critics(Features(), Features())
    try:
        with safe_open(path, framework="pt") as file:
            if FORMAT not in (file.metadata() or {}):
                raise WeightsError(
                    f"{path} holds no critics of vce", hint="vce critics -o trains some"
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        for name, network in vars(critics).items():
            cut = len(name) + 1
            own = {key[cut:]: value for key, value in tensors.items() if key.startswith(name)}
            network.load_state_dict(own)
            network.to(device).eval()
    except (OSError, SafetensorError, RuntimeError) as error:
        raise WeightsError(f"{path} is damaged: {error}") from error
    return critics
