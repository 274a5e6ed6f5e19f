"""The cases `network/`: the ONNX models of a folder, at batches of 1 and 16."""
BATCHES = (1, 16)


def names(folder):
    """None without a folder."""
    models = sorted(path.stem for path in folder.glob("*.onnx")) if folder else []
    return [f"network/{name}/b{batch}" for name in models for batch in BATCHES]


def is_one(case):
    return case.startswith("network/")


def wanted(case):
    """Network and batch of a case."""
    _, name, batch = case.split("/")
    return name, int(batch[1:])
