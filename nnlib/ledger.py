"""The ledger of claims: what the article says, what was derived, what was measured, and the verdict.

The article is 「신경망(Neural Network)의 수학적 이해와 아키텍처 심화 분석」 (2025-04-17). A chapter shows its rows with `show`; when the book is
built, they are also written down, and the ledger page is made from them. The closing page reads the rows of all chapters with `gathered`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from nnlib import page, publishing

__all__ = ["STATEMENTS", "VERDICTS", "Row", "gathered", "has_figure", "show"]

# id: (the article's words, in English)
STATEMENTS: dict[str, tuple[str, str]] = {
    "S1.1": ("신경망은 함수 근사기(Function Approximator)로 볼 수 있다.", "A neural network is a function approximator."),
    "S1.2": (r"MLP는 $f\colon \mathbb{R}^n \to \mathbb{R}^m$ 을 구성한다.", r"An MLP is a function $f\colon \mathbb{R}^n \to \mathbb{R}^m$."),
    "S1.3": (r"기본 연산: $a^{(l)} = f(W^{(l)} a^{(l-1)} + b^{(l)})$.", r"The basic operation is $a^{(l)} = f(W^{(l)} a^{(l-1)} + b^{(l)})$."),
    "S1.4": (
        r"$l$ 레이어 인덱스, $W^{(l)}$ 가중치 행렬, $b^{(l)}$ 편향 벡터, $a^{(l)}$ 레이어 $l$ 의 출력(activation).",
        r"$l$ is the layer's index, $W^{(l)}$ its weight matrix, $b^{(l)}$ its bias vector, $a^{(l)}$ its output (activation).",
    ),
    "S1.5": ("$f$: 비선형 활성화 함수 (ReLU, tanh, sigmoid 등).", "$f$ is a nonlinear activation function (ReLU, tanh, sigmoid and so on)."),
    "S2.1": (
        "“적절한 비선형 활성화 함수와 충분한 뉴런 수만 있다면, 단일 은닉층 신경망도 모든 연속 함수를 근사할 수 있다.”",
        "With a suitable nonlinearity and enough neurons, one hidden layer approximates every continuous function.",
    ),
    "S2.2": ("“근사 가능”과 “실제로 학습 가능”은 다르다.", "Approximable is not the same as learnable."),
    "S2.3": ("Depth(깊이)와 Representation(표현력)이 실질적인 성능에 중요하다.", "Depth and representation matter in practice."),
    "S2.4": (
        "표현력: 깊은 네트워크는 지수적으로 더 많은 비선형 경계를 만들 수 있다.",
        "Expressive power: deep networks can make exponentially more nonlinear boundaries.",
    ),
    "S2.5": (
        "파라미터 수 절감: 같은 기능을 얕은 구조로 만들면 더 많은 노드가 필요하다.",
        "Fewer parameters: the same function needs more nodes in a shallow network.",
    ),
    "S3.1": ("손실 함수 $L$ 에 대해 가중치 $W$ 의 그라디언트를 계산하는 알고리즘.", "Backpropagation computes the gradient of the loss $L$ with respect to the weights $W$."),
    "S3.2": (
        r"$\frac{\partial L}{\partial W^{(l)}} = \frac{\partial L}{\partial a^{(l)}} \cdot \frac{\partial a^{(l)}}{\partial z^{(l)}} "
        r"\cdot \frac{\partial z^{(l)}}{\partial W^{(l)}}$, $z^{(l)} = W^{(l)} a^{(l-1)} + b^{(l)}$.",
        "The chain rule for the weights of a layer.",
    ),
    "S3.3": ("각 레이어에서의 미분을 체인 룰로 누적하여 역방향으로 전달.", "Derivatives accumulate backwards, layer by layer, by the chain rule."),
    "S3.4": ("가중치 초기화가 잘못되면 그래디언트 소실/폭주 발생.", "With a bad initialization gradients vanish or explode."),
    "S3.5": ("→ He, Xavier 초기화 등장.", "Hence He and Xavier initialization."),
    "S3.6": ("ReLU가 그라디언트 소실 문제를 해결했다.", "ReLU solved the vanishing gradient."),
    "S3.7": ("dying ReLU 문제는 여전히 존재한다.", "The dying ReLU remains."),
    "S4.1": ("Dropout: 학습 중 무작위로 일부 뉴런을 제거하여 공동 적응 방지.", "Dropout removes random neurons during training and so prevents co-adaptation."),
    "S4.2": ("L2 정규화 (Weight Decay): 파라미터 크기를 줄여 모델 복잡도 감소.", "L2 regularization (weight decay): smaller parameters, a simpler model."),
    "S4.3": ("Early Stopping: 검증 손실이 증가하면 조기 종료.", "Early stopping: stop when the validation loss rises."),
    "S4.4": ("Batch Normalization: 각 층의 입력 분포를 정규화하여 학습 안정성 향상.", "Batch normalization: normalizing each layer's input distribution makes training more stable."),
    "S5.1": ("시계열/순서 인식 불가: 순차 정보 고려 X.", "An MLP cannot see time or order."),
    "S5.2": ("고차원 이미지 처리 비효율: 모든 픽셀에 Fully Connected.", "It is inefficient on high-dimensional images: every pixel is fully connected."),
    "S6.1": ("CNN: 위치 기반 local filter (kernel). $y = f(W * x + b)$.", "A CNN has local filters (kernels) by position: $y = f(W * x + b)$."),
    "S6.2": ("CNN: 파라미터 수 감소 + 공간 정보 유지.", "A CNN has fewer parameters and keeps spatial information."),
    "S6.3": ("CNN: 이미지, 음성 처리에 적합.", "A CNN suits images and audio."),
    "S6.4": ("RNN: 이전 시점의 출력을 현재 입력에 반영. $h_t = f(W x_t + U h_{t-1} + b)$.", "An RNN feeds the output before into the present input: $h_t = f(W x_t + U h_{t-1} + b)$."),
    "S6.5": ("RNN: 시계열 데이터, 자연어 처리에 유리.", "An RNN suits time series and language."),
    "S6.6": ("RNN: 장기 의존성 학습 어려움 (→ LSTM, GRU 등장).", "Long-term dependencies are hard for an RNN to learn; hence LSTM and GRU."),
    "S6.7": ("Transformer: “모든 입력 간 상호작용을 병렬적으로 계산”.", "A Transformer computes all interactions between inputs in parallel."),
    "S6.8": (
        r"$\text{Attention}(Q,K,V) = \text{softmax}\left(\frac{QK^T}{\sqrt{d_k}}\right)V$.",
        "Scaled dot-product attention.",
    ),
    "S6.9": ("Transformer: 텍스트, 코드, 이미지 등 모든 시퀀스에 강력.", "A Transformer is strong on every sequence: text, code, images and so on."),
    "S6.10": ("GPT, BERT, LLaMA, Claude, Gemini 등의 기반 구조.", "It is the base of GPT, BERT, LLaMA, Claude, Gemini and others."),
    "S7.1": ("회귀 → MSE.", "Regression: mean squared error."),
    "S7.2": ("이진 분류 → Binary Cross Entropy.", "Binary classification: binary cross-entropy."),
    "S7.3": ("다중 분류 → Categorical Cross Entropy.", "Classification with many classes: categorical cross-entropy."),
    "S7.4": ("불균형 데이터 → Focal Loss, AUC Loss.", "Imbalanced data: focal loss, AUC loss."),
    "S7.5": ("SGD: 고전적 방식, 학습률 튜닝 중요.", "SGD: the classic; tuning the learning rate matters."),
    "S7.6": ("Momentum: 방향성 반영 (관성 효과).", "Momentum: takes the direction into account (inertia)."),
    "S7.7": ("RMSprop: 학습률 자동 조절 (2차 모멘트).", "RMSprop: sets the learning rate by itself (second moment)."),
    "S7.8": ("Adam: 모멘텀 + RMSprop 결합, 현재 가장 널리 사용.", "Adam: momentum and RMSprop together; the most widely used today."),
    "S8.1": ("은닉층 수 / 뉴런 수.", "Number of hidden layers and neurons."),
    "S8.2": ("학습률 / 스케줄러.", "Learning rate and schedule."),
    "S8.3": ("Batch Size.", "Batch size."),
    "S8.4": ("활성화 함수.", "Activation function."),
    "S8.5": ("초기화 방법.", "Initialization."),
    "S8.6": ("Regularization 기법.", "Regularization."),
    "S8.7": ("이들의 조합이 모델 성능의 90%를 좌우한다.", "Their combination decides 90 % of a model's performance."),
    "S9.1": (
        "신경망은 단순한 블랙박스가 아니라, 미분 가능한 함수들을 층층이 쌓아올린 거대한 수학적 구조이다.",
        "A neural network is not a black box but a large mathematical structure of differentiable functions, stacked layer on layer.",
    ),
    "S9.2": ("이 구조를 최적화하는 알고리즘이 바로 딥러닝의 본질이다.", "The algorithm that optimizes this structure is the essence of deep learning."),
}

VERDICTS = ("holds", "holds if", "does not hold here")
COLUMNS = ["Statement", "What was derived", "What was measured", "Verdict"]
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
# Digits that are no figure: names of data, networks, norms and layers, and numbers of chapters, pages, statements and equations.
NAMES = re.compile(r"MNIST-1D|GPT-\d|\b[LF]_?\d\b|\\ell_\d|\b(?:chapter|page|exercise) \d+\w?|\bS\d\.\d+|\(\d\.\d+\w?\)", re.IGNORECASE)


def has_figure(measured: str) -> bool:
    """Whether a text gives a number that is not part of a name.

    Examples
    --------
    >>> from nnlib.ledger import has_figure
    >>> has_figure("better on MNIST-1D (5.2)"), has_figure("+3 points on MNIST-1D")
    (False, True)
    """
    return re.search(r"\d", NAMES.sub("", measured)) is not None


@dataclass(frozen=True)
class Row:
    """One row of the ledger.

    Parameters
    ----------
    id : str
        A statement of the article, S1.1 to S9.2.
    derived : str
        What was derived on the page.
    measured : str
        What was measured, with its figure.
    verdict : str
        One of ``VERDICTS``.
    condition : str
        What "holds if" depends on; elsewhere a remark, or nothing.

    Raises
    ------
    ValueError
        If the id or the verdict is unknown, the measurement holds no figure besides names, "holds if" has no condition, or a cell holds " | ".

    Examples
    --------
    >>> from nnlib.ledger import Row
    >>> Row("S1.2", derived="shapes", measured="3 shapes of 3", verdict="holds").verdict
    'holds'
    """

    id: str
    derived: str
    measured: str
    verdict: str
    condition: str = ""

    def __post_init__(self):
        if self.id not in STATEMENTS:
            raise ValueError(f"the article has no statement {self.id!r}; it has {', '.join(STATEMENTS)}")
        if self.verdict not in VERDICTS:
            raise ValueError(f"a verdict is one of {', '.join(map(repr, VERDICTS))}, got {self.verdict!r}")
        if not has_figure(self.measured):
            raise ValueError(f"{self.id}: a measurement gives a figure, got {self.measured!r}")
        if self.verdict == "holds if" and not self.condition:
            raise ValueError(f"{self.id}: 'holds if' needs its condition")
        if any(" | " in text for text in (self.derived, self.measured, self.condition)):
            raise ValueError(f"{self.id}: ' | ' would end a cell of the table; write \\mid, or leave out its spaces")


def show(*rows: Row) -> None:
    """Show a chapter's rows as a table; when the book is being built, also hand them to the ledger page.

    Raises
    ------
    ValueError
        If a statement has two rows, or the rows belong to several chapters.

    Examples
    --------
    >>> from nnlib import ledger
    >>> ledger.show()
    Traceback (most recent call last):
        ...
    ValueError: expected rows of one chapter, each statement once, got []
    """
    ids = [row.id for row in rows]
    chapters = {id.split(".")[0] for id in ids}
    if len(chapters) != 1 or len(set(ids)) != len(ids):
        raise ValueError(f"expected rows of one chapter, each statement once, got {ids}")
    page.table(
        COLUMNS,
        [
            (f"[{row.id}](#{row.id}) {'<br>'.join(reversed(STATEMENTS[row.id]))}", row.derived, row.measured, f"**{row.verdict}** {row.condition}")
            for row in rows
        ],
    )
    folder = publishing.folder()
    if folder is not None:
        told = [{**asdict(row), "korean": STATEMENTS[row.id][0], "english": STATEMENTS[row.id][1]} for row in rows]
        place = folder / "ledger"
        place.mkdir(parents=True, exist_ok=True)
        # Chapter 6 has several pages, each with rows of its own.
        (place / f"{ids[0]}.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


def gathered(notebooks: Iterable[Path] | None = None) -> list[Row]:
    """The rows of the chapters as they were committed: read from the tables that `show` left in the outputs of the notebooks.

    Parameters
    ----------
    notebooks : iterable of paths, optional
        By default all that stand beside the package.

    Returns
    -------
    list of Row
        In the order of the article.

    Raises
    ------
    ValueError
        If a statement has two rows, or there are none.

    Examples
    --------
    >>> from nnlib import ledger
    >>> {row.verdict for row in ledger.gathered()} <= set(ledger.VERDICTS)
    True
    """
    rows: dict[str, Row] = {}
    for path in sorted(NOTEBOOKS.glob("*.ipynb")) if notebooks is None else notebooks:
        for row in _rows_of(json.loads(Path(path).read_text(encoding="utf-8"))):
            if row.id in rows:
                raise ValueError(f"{row.id} has two rows, the second in {path}")
            rows[row.id] = row
    if not rows:
        raise ValueError("expected notebooks with rows of the ledger in their outputs, found none")
    return [rows[id] for id in STATEMENTS if id in rows]


def _rows_of(notebook: dict) -> Iterable[Row]:
    outputs = (output for cell in notebook["cells"] for output in cell.get("outputs", []))
    for text in ("".join(output.get("data", {}).get("text/markdown", "")) for output in outputs):
        if text.startswith(f"| {' | '.join(COLUMNS)} |"):
            for line in text.splitlines()[2:]:
                statement, derived, measured, verdict = line[2:-2].split(" | ")
                bold, condition = re.fullmatch(r"\*\*(.+?)\*\* ?(.*)", verdict.strip()).groups()  # type: ignore[union-attr]
                yield Row(re.match(r"\[(S[\d.]+)\]", statement)[1], derived, measured, bold, condition)  # type: ignore[index]
